import { createHash } from 'node:crypto';
import type {
  Agency,
  AgentFrame,
  DeliveryReport,
  GatewayFrame,
  LookupRequest,
  Register,
  Roster,
  SealedQuestion,
  Settings,
  SignedDocument,
  Ticket,
} from '@hitmachine/protocol';
import {
  GATEWAY_KEY_ID,
  ROSTER_KIND,
  createSuite,
  decodeBase64,
  deriveKeyPair,
  elementDigests,
  encodeBase64,
  evaluateElements,
  loadSodium,
  proveEvaluation,
  signDocument,
  ticketCodec,
  utf8ToBytes,
} from '@hitmachine/protocol';
import type { GatewayClient } from '../../../node-agent/src/ports/gateway-client.ts';
import { secureRandom } from '../../../node-agent/src/random.ts';

export type Delivery = Extract<GatewayFrame, { type: 'delivery' }>;

export const backend = await loadSodium();
export const suite = createSuite('voprf', backend);

export const PURPOSE = 'casusoverleg-zvh';
export const T0 = Date.UTC(2026, 2, 2, 12);

interface OpenLookup {
  readonly tickets: ReadonlyMap<string, Uint8Array>;
  readonly evidence: Uint8Array;
}

/**
 * The gateway's side of the protocol without sockets, from the protocol package's own parts: evaluates, makes tickets,
 * hands questions to the nodes that are attached. Every step can be meddled with.
 */
export class StandInGateway {
  readonly seed = secureRandom(32);
  readonly identityKey = backend.signatures.publicKey(this.seed);
  evaluation = deriveKeyPair(suite, secureRandom(32), utf8ToBytes('test k_g'));
  readonly agencies = new Map<string, Agency>();
  readonly nodes = new Map<string, (delivery: Delivery) => Promise<AgentFrame>>();
  readonly deliveries: Delivery[] = [];
  settings: Settings = {
    tokenTypes: { bsn: 6, 'name+birthdate': 4, address: 0 },
    lookupProof: true,
    maxPersons: 32,
    answerTimeoutMs: 5_000,
  };
  purposes = [PURPOSE, 'jeugdbescherming'];
  version = 1;
  now = T0;
  /** Evaluations served. */
  evaluations = 0;
  changeTicket: (ticket: Ticket) => Ticket = (ticket) => ticket;
  changeDelivery: (delivery: Delivery) => Delivery = (delivery) => delivery;
  changeReport: (report: DeliveryReport) => DeliveryReport = (report) => report;
  /** Awaited before an evaluation is returned; may throw. */
  beforeEvaluation: () => Promise<void> = async () => undefined;
  beforeOpening: () => Promise<void> = async () => undefined;
  readonly #lookups = new Map<string, OpenLookup>();

  get roster(): Roster {
    return {
      format: 'hitmachine-roster-1',
      federation: 'waalstad',
      version: this.version,
      issuedAt: this.now,
      gateway: {
        identityKey: encodeBase64(this.identityKey),
        evaluationKey: encodeBase64(this.evaluation.publicKey),
      },
      settings: this.settings,
      purposes: this.purposes.map((code) => ({
        code,
        name: { nl: code, en: code },
        legalBasis: 'WGS',
        explanation: { nl: 'uitleg', en: 'explanation' },
      })),
      agencies: [...this.agencies.values()],
    };
  }

  sign(roster: Roster = this.roster, seed: Uint8Array = this.seed): SignedDocument {
    return signDocument(backend, ROSTER_KIND, roster, { keyId: GATEWAY_KEY_ID, seed });
  }

  /** Puts an agency on the roster, or changes its entry; the next version. */
  put(agency: Agency): void {
    this.agencies.set(agency.id, agency);
    this.version++;
  }

  clientOf(asker: string): GatewayClient {
    return {
      roster: async () => this.sign(),
      enrol: async () => this.sign(),
      publishRegisters: async (registers: readonly Register[]) => {
        this.put({ ...(this.agencies.get(asker) as Agency), registers: [...registers] });
        return this.sign();
      },
      evaluate: async (_register, elements) => {
        await this.beforeEvaluation();
        this.evaluations++;
        const evaluated = evaluateElements(suite, this.evaluation.secretKey, elements);
        return {
          evaluated,
          proof: proveEvaluation(suite, this.evaluation, elements, evaluated, secureRandom),
        };
      },
      openLookup: async (request) => {
        await this.beforeOpening();
        return this.#open(asker, request, secureRandom(80));
      },
      ask: (lookup, questions) => this.#ask(lookup.lookupId, questions),
    };
  }

  #open(asker: string, request: LookupRequest, evidence: Uint8Array) {
    const elements = decodeBase64(request.elements);
    const evaluated = evaluateElements(suite, this.evaluation.secretKey, elements);
    const requestDigest = new Uint8Array(createHash('sha256').update(evidence).digest());
    const lookupId = secureRandom(16);
    const registers = new Map<string, string[]>();
    for (const name of request.registers) {
      const [node, register] = name.split('/') as [string, string];
      registers.set(node, [...(registers.get(node) ?? []), register]);
    }
    const tickets = new Map(
      [...registers].map(([node, local]) => [
        node,
        ticketCodec.encode(
          this.changeTicket({
            version: 1,
            lookupId,
            asker,
            node,
            registers: local,
            purpose: request.purpose,
            persons: request.persons,
            elementDigests: elementDigests(evaluated, request.tokenTypes),
            requestDigest,
            rosterVersion: request.rosterVersion,
            issuedAt: this.now,
            expiresAt: this.now + 60_000,
          }),
        ),
      ]),
    );
    this.#lookups.set(encodeBase64(lookupId), { tickets, evidence });
    const proof = proveEvaluation(suite, this.evaluation, elements, evaluated, secureRandom);
    const opened = {
      lookupId: encodeBase64(lookupId),
      evaluated: encodeBase64(evaluated),
      proof: encodeBase64(proof),
      tickets: [...tickets].map(([node, ticket]) => ({ node, ticket: encodeBase64(ticket) })),
      capability: encodeBase64(secureRandom(32)),
    };
    return { opened, requestDigest };
  }

  async *#ask(lookupId: string, questions: readonly SealedQuestion[]): AsyncGenerator<DeliveryReport> {
    const { tickets, evidence } = this.#lookups.get(lookupId) as OpenLookup;
    for (const question of questions) {
      const { node } = question;
      const delivery = this.changeDelivery({
        type: 'delivery',
        delivery: this.deliveries.length,
        ticket: tickets.get(node) as Uint8Array,
        evidence,
        evidenceSignature: secureRandom(64),
        question,
      });
      this.deliveries.push(delivery);
      const answer = this.nodes.get(node);
      if (answer === undefined) yield { node, outcome: 'not-connected', ciphertext: undefined };
      else {
        const { outcome, ciphertext } = await answer(delivery);
        yield this.changeReport({ node, outcome, ciphertext });
      }
    }
  }
}

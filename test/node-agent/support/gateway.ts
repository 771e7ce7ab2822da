import { createHash } from 'node:crypto';
import type {
  Agency,
  AgentReply,
  DeliveryReport,
  GatewayFrame,
  LogEntry,
  LookupRequest,
  Policy,
  PolicyFile,
  Register,
  Review,
  Roster,
  SealedQuestion,
  Logged,
  Settings,
  SignalReport,
  SignedDocument,
  TableCommitment,
  Ticket,
} from '@hitmachine/protocol';
import {
  CANARY_PURPOSE,
  GATEWAY_KEY_ID,
  HitError,
  MEMBERS_KIND,
  OFFLINE_KEY_ID,
  POLICY_KIND,
  ROSTER_KIND,
  TABLES_PATH,
  addSignature,
  createSuite,
  decodeBase64,
  deriveKeyPair,
  elementDigests,
  encodeBase64,
  evaluateElements,
  groundsOf,
  loadSodium,
  memberOf,
  parseReceipt,
  policySchema,
  proveEvaluation,
  signDocument,
  signRequest,
  ticketCodec,
  utf8ToBytes,
} from '@hitmachine/protocol';
import type { GatewayClient, ShownEntry } from '../../../node-agent/src/ports/gateway-client.ts';
import { secureRandom } from '../../../node-agent/src/random.ts';
import { policyOf, purposeFile } from './policy.ts';
import { SmallLog, evidenceFrom } from '../../support/small-log.ts';

export type Delivery = Extract<GatewayFrame, { type: 'delivery' }>;

export const backend = await loadSodium();
export const suite = createSuite('voprf', backend);

export const PURPOSE = 'casusoverleg-zvh';
export const T0 = Date.UTC(2026, 2, 2, 12);

/** How a lookup stands in the log. */
export type LookupEntry = Extract<LogEntry, { event: 'lookup' | 'canary' }>;
export type AnswerEntry = Extract<LogEntry, { event: 'answer' }>;

interface OpenLookup {
  readonly asker: string;
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
  log = new SmallLog(backend, this.seed, 'waalstad');
  /** The log that an agency gets to see: one and the same for all, unless a test splits it. */
  logFor: (agency: string) => SmallLog = () => this.log;
  readonly agencies = new Map<string, Agency>();
  /** Identity seeds of the agencies: their clients here sign with them. */
  readonly seeds = new Map<string, Uint8Array>();
  readonly #latestTables = new Map<string, Logged>();
  readonly nodes = new Map<string, (delivery: Delivery) => Promise<AgentReply>>();
  readonly deliveries: Delivery[] = [];
  /** The policy in force: see {@link changePolicy}. */
  policy: Policy = policyOf(
    1,
    {
      tokenTypes: { bsn: 6, 'name+birthdate': 4, address: 0 },
      lookupProof: true,
      maxPersons: 32,
      answerTimeoutMs: 5_000,
    },
    [PURPOSE, 'jeugdbescherming'].map((code) => purposeFile(code)),
  );
  version = 1;
  /** Signs the policy and the list of members too, once there is one. */
  offlineSeed: Uint8Array | undefined;
  /** A gateway that leaves the offline key's signature out. */
  signsAlone = false;
  /** Of the list of members; as the roster's unless a test says otherwise. */
  membersVersion: number | undefined;
  now = T0;
  /** Evaluations served. */
  evaluations = 0;
  changeTicket: (ticket: Ticket) => Ticket = (ticket) => ticket;
  changeDelivery: (delivery: Delivery) => Delivery = (delivery) => delivery;
  changeReport: (report: DeliveryReport) => DeliveryReport = (report) => report;
  /** Awaited before an evaluation is returned; may throw. */
  beforeEvaluation: () => Promise<void> = async () => undefined;
  beforeOpening: () => Promise<void> = async () => undefined;
  /** May put another entry in the place of the one that was logged, or throw. */
  changeLogged: (logged: Logged) => Logged | Promise<Logged> = (logged) => logged;
  /** The same for a table commitment. */
  changeCommitted: (logged: Logged) => Logged | Promise<Logged> = (logged) => logged;
  /** May write another entry for a lookup than was asked. */
  changeEntry: (entry: LookupEntry) => LookupEntry = (entry) => entry;
  /** May write another entry for an answer than was given. */
  changeAnswerEntry: (entry: AnswerEntry) => AnswerEntry = (entry) => entry;
  /** Awaited before anything of the log is shown; may throw. */
  beforeShowing: () => Promise<void> = async () => undefined;
  /** What agencies have told. */
  readonly signals: (SignalReport & { readonly agency: string })[] = [];
  readonly reviews: (Review & { readonly agency: string })[] = [];
  /** Awaited before a notice is taken in; may throw. */
  beforeNotice: () => Promise<void> = async () => undefined;
  readonly #lookups = new Map<string, OpenLookup>();

  get settings(): Settings {
    return this.policy.settings;
  }

  set settings(settings: Settings) {
    this.changePolicy({ settings });
  }

  /** Publishes another policy: a next version of it, and of the roster. */
  changePolicy(change: Partial<PolicyFile>): void {
    this.policy = policySchema.parse({ ...this.policy, ...change, version: this.policy.version + 1 });
    this.version++;
  }

  get roster(): Roster {
    return {
      format: 'hitmachine-roster-1',
      federation: 'waalstad',
      version: this.version,
      issuedAt: this.now,
      gateway: {
        identityKey: encodeBase64(this.identityKey),
        evaluationKey: encodeBase64(this.evaluation.publicKey),
        ...(this.offlineSeed !== undefined && {
          offlineKey: encodeBase64(backend.signatures.publicKey(this.offlineSeed)),
        }),
      },
      policy: this.policy,
      agencies: [...this.agencies.values()],
    };
  }

  sign(roster: Roster = this.roster, seed: Uint8Array = this.seed): SignedDocument {
    const { gateway, federation, agencies } = roster;
    const members = {
      format: 'hitmachine-members-1',
      federation,
      version: this.membersVersion ?? this.version,
      gateway,
      agencies: agencies.map(memberOf),
    };
    const payload = {
      ...roster,
      policy: this.#signedByAll(POLICY_KIND, roster.policy, seed),
      ...(this.offlineSeed !== undefined && { members: this.#signedByAll(MEMBERS_KIND, members, seed) }),
    };
    return signDocument(backend, ROSTER_KIND, payload, { keyId: GATEWAY_KEY_ID, seed });
  }

  #signedByAll(kind: string, value: unknown, seed: Uint8Array): SignedDocument {
    const document = signDocument(backend, kind, value, { keyId: GATEWAY_KEY_ID, seed });
    if (this.offlineSeed === undefined || this.signsAlone) return document;
    return addSignature(backend, kind, document, { keyId: OFFLINE_KEY_ID, seed: this.offlineSeed });
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
      quotient: async () => {
        throw new HitError('not-found', 'the evaluation key of this gateway does not change');
      },
      announceKeys: async (keyChange) => {
        this.put({ ...(this.agencies.get(asker) as Agency), keyChange });
        return this.sign();
      },
      publishRegisters: async (registers: readonly Register[]) => {
        this.put({ ...(this.agencies.get(asker) as Agency), registers: [...registers] });
        return this.sign();
      },
      commitTables: (commitment) => this.#commit(asker, commitment),
      latestTables: async () => {
        const latest = this.#latestTables.get(asker);
        if (latest === undefined) throw new HitError('not-found');
        return Promise.resolve(latest);
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
        return this.#open(asker, request);
      },
      ask: (lookup, questions) => this.#ask(lookup.lookupId, questions),
      reportSignal: async (report) => {
        await this.beforeNotice();
        this.signals.push({ agency: asker, ...report });
      },
      reportReview: async (review) => {
        await this.beforeNotice();
        this.reviews.push({ agency: asker, ...review });
      },
      checkpoint: async () => {
        await this.beforeShowing();
        return this.logFor(asker).checkpoint;
      },
      consistency: async (old, size) => {
        await this.beforeShowing();
        return this.logFor(asker).consistency(old, size);
      },
      loggedLookups: async (lookupIds) => {
        await this.beforeShowing();
        const log = this.logFor(asker);
        const shown = new Map<string, ShownEntry>();
        for (const lookupId of lookupIds) {
          const shownTo = (entry: LogEntry): boolean =>
            'lookupId' in entry &&
            entry.lookupId === lookupId &&
            (entry.event === 'answer' ? entry.node : entry.agency) === asker;
          const index = log.entries.findIndex(shownTo);
          if (index < 0) continue;
          const { entry, receipt } = await this.changeLogged(await log.logged(index));
          shown.set(lookupId, { entry, ...parseReceipt(receipt) });
        }
        return shown;
      },
    };
  }

  /** A request as its agency signs it. */
  #signed(agency: string, path: string, body: string) {
    const seed = this.seeds.get(agency) as Uint8Array;
    const request = { method: 'POST', path, body: utf8ToBytes(body) };
    const signed = signRequest(backend, seed, agency, request, this.now, secureRandom);
    return { sent: { base: signed.base, body: request.body }, evidence: evidenceFrom(signed) };
  }

  /** An agency's signed commitment, in the log. Lets through what a real gateway refuses: a second one of an epoch. */
  async #commit(agency: string, commitment: TableCommitment): Promise<Logged> {
    const body = JSON.stringify(commitment);
    const { evidence } = this.#signed(agency, TABLES_PATH, body);
    const log = this.logFor(agency);
    const logged = await this.changeCommitted(
      await log.logged(log.append({ at: this.now, event: 'tables', agency, body, evidence })),
    );
    this.#latestTables.set(agency, logged);
    return logged;
  }

  async #open(asker: string, request: LookupRequest) {
    const body = JSON.stringify(request);
    const { sent, evidence } = this.#signed(asker, '/v1/lookups', body);
    const elements = decodeBase64(request.elements);
    const evaluated = evaluateElements(suite, this.evaluation.secretKey, elements);
    const requestDigest = new Uint8Array(createHash('sha256').update(sent.base).digest());
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
            role: request.role,
            grounds: groundsOf(request),
            persons: request.persons,
            elementDigests: elementDigests(evaluated, request.tokenTypes),
            requestDigest,
            rosterVersion: request.rosterVersion,
            policyVersion: this.policy.version,
            issuedAt: this.now,
            expiresAt: this.now + 60_000,
          }),
        ),
      ]),
    );
    this.#lookups.set(encodeBase64(lookupId), { asker, tickets, evidence: sent.base });
    const proof = proveEvaluation(suite, this.evaluation, elements, evaluated, secureRandom);
    const log = this.logFor(asker);
    const entry = this.changeEntry({
      at: this.now,
      event: request.purpose === CANARY_PURPOSE ? 'canary' : 'lookup',
      agency: asker,
      lookupId: encodeBase64(lookupId),
      body,
      evidence,
    });
    const opened = {
      lookupId: encodeBase64(lookupId),
      evaluated: encodeBase64(evaluated),
      proof: encodeBase64(proof),
      tickets: [...tickets].map(([node, ticket]) => ({ node, ticket: encodeBase64(ticket) })),
      capability: encodeBase64(secureRandom(32)),
      logged: await this.changeLogged(await log.logged(log.append(entry))),
    };
    return { opened, requestDigest, sent };
  }

  async *#ask(lookupId: string, questions: readonly SealedQuestion[]): AsyncGenerator<DeliveryReport> {
    const { asker, tickets, evidence } = this.#lookups.get(lookupId) as OpenLookup;
    for (const question of questions) {
      const { node } = question;
      const delivery = this.changeDelivery({
        type: 'delivery',
        delivery: this.deliveries.length,
        answerBy: Number.MAX_SAFE_INTEGER,
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
        const entry = this.changeAnswerEntry({
          at: this.now,
          event: 'answer',
          id: encodeBase64(secureRandom(16)),
          agency: asker,
          lookupId,
          node,
          request: createHash('sha256').update(evidence).digest('base64url'),
          outcome,
          milliseconds: 1,
        });
        this.logFor(asker).append(entry);
        yield this.changeReport({ node, outcome, ciphertext });
      }
    }
  }
}

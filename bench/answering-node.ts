import type {
  AgentReply,
  AskedRegister,
  CommittedTables,
  EvaluatedLookup,
  OpenedCommitment,
  PreparedLookup,
  Question,
  RegisterResult,
  Session,
} from '@hitmachine/protocol';
import {
  answerCodec,
  blindBatch,
  committedTables,
  decodeBase64,
  encodeBase64,
  finishBatch,
  gatewayFrameCodec,
  logOrigin,
  makeQuestion,
  nodePolicySchema,
  openAnswer,
  openCommitment,
  openSession,
  prepareLookup,
  questionCodec,
  readAnswer,
  sealQuestion,
  takeEvaluation,
} from '@hitmachine/protocol';
import { answerDelivery } from '../node-agent/src/domain/answering/answer-question.ts';
import { AskerWatch } from '../node-agent/src/domain/answering/asker-watch.ts';
import { TableCommitter } from '../node-agent/src/domain/answering/table-committer.ts';
import type { AgencyLog } from '../node-agent/src/ports/agency-log.ts';
import type { Delivery } from '../node-agent/src/ports/gateway-connection.ts';
import { secureRandom } from '../node-agent/src/random.ts';
import { sha256 } from '../node-agent/src/sha256.ts';
import { PURPOSE, StandInGateway, T0 } from '../test/node-agent/support/gateway.ts';
import { TestNode, registerOf } from '../test/node-agent/support/node.ts';
import { ROLE } from '../test/node-agent/support/policy.ts';
import { suite } from './backends.ts';
import type { RegisterKind } from './large-register.ts';
import { inventedPerson, tablesOf } from './large-register.ts';

const REGISTER = 'incidenten';
const [ASKER, NODE] = ['gemeente', 'politie'];
/** Clients of the register that the asker knows by name; the others are anybody. */
const KNOWN = 4;

/** Of the node: everything that the federation allows, without an end. */
const OWN_RULES = nodePolicySchema.parse({ quotas: { personsPerAgencyPerDay: 1e9, personsPerDay: 1e9 } });

/** A lookup that the gateway opened, for one node. */
export interface OpenedLookup {
  readonly prepared: PreparedLookup;
  readonly evaluatedElements: Uint8Array;
  readonly proof: Uint8Array;
  readonly lookup: EvaluatedLookup;
  readonly question: Question;
  readonly ticket: Uint8Array;
  readonly evidence: Uint8Array;
  readonly lookupId: Uint8Array;
}

/**
 * An agency with a register of a given size, and another that asks it: the real domain of the agent with its real log,
 * at a gateway without sockets.
 */
export class AnsweringNode {
  readonly kind: RegisterKind;
  readonly gateway: StandInGateway;
  readonly node: TestNode;
  readonly commitment: Uint8Array;
  readonly asked: AskedRegister;
  readonly #session: Session;
  readonly #watch: AskerWatch;
  #opening: Uint8Array | undefined;
  #counter = 0;

  private constructor(parts: {
    kind: RegisterKind;
    gateway: StandInGateway;
    node: TestNode;
    commitment: Uint8Array;
    tableBits: Record<string, number>;
    opened: { session: Session; opening: Uint8Array };
  }) {
    this.kind = parts.kind;
    this.gateway = parts.gateway;
    this.node = parts.node;
    this.commitment = parts.commitment;
    this.asked = { register: REGISTER, tableBits: parts.tableBits };
    this.#session = parts.opened.session;
    const { roster, log } = parts.node;
    this.#watch = new AskerWatch({ roster, log, agencyLog: parts.node.agencyLog });
    this.#opening = parts.opened.opening;
  }

  static async make(kind: RegisterKind): Promise<AnsweringNode> {
    const gateway = new StandInGateway();
    gateway.settings = { ...gateway.settings, tokenTypes: kind.budgets };
    const asker = await TestNode.join(gateway, ASKER, { registers: [] });
    await asker.close();
    const node = await TestNode.join(gateway, NODE, { registers: [registerOf(REGISTER, [...kind.held])] });
    const nodeKey = node.keys.nodeKey.reveal();
    const pseudonyms = async (type: string) => {
      const tokens = Array.from(
        { length: KNOWN },
        (_, i) => inventedPerson(`client ${i}`, [type]).get(type) as Uint8Array,
      );
      const batch = blindBatch(suite, tokens, secureRandom);
      const { evaluated, proof } = await gateway.clientOf(NODE).evaluate(REGISTER, batch.elements);
      return finishBatch(suite, gateway.evaluation.publicKey, nodeKey, batch, evaluated, proof);
    };
    const known = new Map<string, Awaited<ReturnType<typeof pseudonyms>>>();
    for (const type of kind.held) known.set(type, await pseudonyms(type));
    const scope = { agency: NODE, register: REGISTER, epoch: T0 };
    const tables = tablesOf(suite, nodeKey, scope, kind, (type) => known.get(type) ?? []);
    const built = {
      epoch: T0,
      day: '2026-03-02',
      generations: { [REGISTER]: 1 },
      nodeKey: node.keys.nodeKeyMark,
      evaluationKey: node.roster.trustedEvaluationKey(),
      tables: tables.map((table) => ({ register: REGISTER, ...table })),
    };
    const committer = new TableCommitter({
      backend: suite.backend,
      keys: node.keys,
      agency: NODE,
      roster: node.roster,
      gateway: gateway.clientOf(NODE),
      gatewayKey: gateway.identityKey,
    });
    const commitment = await committer.commit(built);
    node.tables.switchTo({ ...built, commitment });
    node.canaries.cameBack(REGISTER);
    const opened = await openSession(
      suite.backend,
      {
        asker: ASKER,
        identitySeed: gateway.seeds.get(ASKER) as Uint8Array,
        node: NODE,
        nodeKey: node.keys.sessionKey,
      },
      T0,
      secureRandom,
    );
    const tableBits = Object.fromEntries(tables.map(({ tokenType, table }) => [tokenType, table.bits]));
    return new AnsweringNode({ kind, gateway, node, commitment, tableBits, opened });
  }

  /** A lookup of so many people, the first of them a client if so wished, as far as the gateway takes part in it. */
  async open(persons: number, firstIsKnown = false): Promise<OpenedLookup> {
    const types = Object.keys(this.kind.budgets);
    const people = Array.from({ length: persons }, (_, i) =>
      inventedPerson(firstIsKnown && i === 0 ? 'client 0' : encodeBase64(secureRandom(12)), types),
    );
    const prepared = prepareLookup(suite, people, types, secureRandom);
    const { opened, sent } = await this.gateway.clientOf(ASKER).openLookup({
      rosterVersion: this.gateway.version,
      purpose: PURPOSE,
      caseCommitment: encodeBase64(secureRandom(32)),
      professional: encodeBase64(secureRandom(16)),
      role: ROLE,
      statements: [],
      registers: [`${NODE}/${REGISTER}`],
      tokenTypes: types,
      persons,
      elements: encodeBase64(prepared.elements),
    });
    const evaluatedElements = decodeBase64(opened.evaluated);
    const lookup = takeEvaluation(suite, prepared, evaluatedElements);
    return {
      prepared,
      evaluatedElements,
      proof: decodeBase64(opened.proof as string),
      lookup,
      question: makeQuestion(lookup, [this.asked]),
      ticket: decodeBase64((opened.tickets[0] as { ticket: string }).ticket),
      evidence: sent.base,
      lookupId: decodeBase64(opened.lookupId),
    };
  }

  /** Encodes a question and seals it under the next number of the session, as the asker does. */
  seal(
    question: Question,
    ticket: Uint8Array,
  ): { readonly ciphertext: Uint8Array; readonly counter: number } {
    const counter = this.#counter++;
    const encoded = questionCodec.encode(question);
    return { ciphertext: sealQuestion(suite.backend, this.#session, counter, ticket, encoded), counter };
  }

  /** The frame in which the gateway sends the question of a lookup, sealed anew. */
  frame({ question, ticket, evidence }: OpenedLookup): Uint8Array {
    const { ciphertext, counter } = this.seal(question, ticket);
    const sealed = { node: NODE, sessionId: this.#session.id, counter, opening: this.#opening, ciphertext };
    this.#opening = undefined;
    return gatewayFrameCodec.encode({
      ...{ type: 'delivery', delivery: counter, answerBy: Number.MAX_SAFE_INTEGER, ticket, evidence },
      ...{ evidenceSignature: new Uint8Array(64), question: sealed },
    });
  }

  /** The same as the agent's connection hands it to the node. */
  delivery(opened: OpenedLookup): Delivery {
    const frame = gatewayFrameCodec.decode(this.frame(opened));
    if (frame.type !== 'delivery') throw new Error('not a question');
    return frame;
  }

  /** What the node does with a question. Throws when it does not answer it. */
  async answer(delivery: Delivery, agencyLog: AgencyLog): Promise<AgentReply> {
    const { roster, incoming, tables, log, clock } = this.node;
    const reply = await answerDelivery(
      {
        ...{ suite, backend: suite.backend, random: secureRandom, clock, roster, sessions: incoming, tables },
        ...{ agencyLog, logView: this.node.watch.view, log },
        policy: async () => OWN_RULES,
        registers: this.node.registers,
        canaries: this.node.canaries,
        watch: this.#watch,
      },
      delivery,
    );
    if (reply.outcome !== 'answered') throw new Error(`the node did not answer: ${reply.outcome}`);
    return reply;
  }

  /** What the node committed to, checked as an asker does it once for each commitment. */
  checkCommitment(): OpenedCommitment {
    const log = {
      origin: logOrigin(this.gateway.roster.federation),
      publicKey: this.gateway.identityKey,
    };
    const node = { id: NODE, identityKey: this.node.keys.identityKey };
    return openCommitment(suite.backend, log, node, this.commitment);
  }

  committed(): CommittedTables {
    return committedTables(this.checkCommitment().commitment, sha256);
  }

  /** Reads the answer to the question of this number, as the asker does. */
  read(
    { lookup, question, ticket }: OpenedLookup,
    counter: number,
    { ciphertext = new Uint8Array(0) }: AgentReply,
    committed: CommittedTables,
  ): RegisterResult[] {
    const plain = openAnswer(suite.backend, this.#session, counter, ticket, ciphertext);
    const answer = answerCodec.decode(plain);
    if (answer.type !== 'answered') throw new Error('the node refused');
    return readAnswer(suite, lookup, NODE, question, answer, committed);
  }

  close(): Promise<void> {
    return this.node.close();
  }
}

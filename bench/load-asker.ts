import { join } from 'node:path';
import type {
  Backend,
  DeliveryReport,
  EvaluatedLookup,
  LookupOpened,
  LookupRequest,
  RegisterResult,
  SealedQuestion,
  Suite,
} from '@hitmachine/protocol';
import {
  HitError,
  answerCodec,
  constantTimeEqual,
  decodeBase64,
  encodeBase64,
  lookupOpenedSchema,
  makeQuestion,
  openAnswer,
  parseJson,
  questionCodec,
  questionsCodec,
  readAnswer,
  sealQuestion,
  signRequest,
  takeEvaluation,
  utf8ToBytes,
} from '@hitmachine/protocol';
import { httpGatewayClient } from '../node-agent/src/adapters/http/gateway-client.ts';
import type { Signer } from '../node-agent/src/adapters/http/signed-fetch.ts';
import { NodeCommitments } from '../node-agent/src/domain/asking/node-commitments.ts';
import type { OutgoingSession } from '../node-agent/src/domain/asking/outgoing-sessions.ts';
import { OutgoingSessions } from '../node-agent/src/domain/asking/outgoing-sessions.ts';
import { RosterKeeper } from '../node-agent/src/domain/membership/roster-keeper.ts';
import type { OpenedAgent } from '../node-agent/src/open-agent.ts';
import { openAgent } from '../node-agent/src/open-agent.ts';
import type { GatewayClient } from '../node-agent/src/ports/gateway-client.ts';
import { secureRandom } from '../node-agent/src/random.ts';
import { STATEMENTS } from '../test/harness/agency.ts';
import type { LoadFederation } from './load-federation.ts';
import { ASKER, REGISTER, nodeName } from './load-federation.ts';
import type { Pooled } from './load-pool.ts';
import { POOL, makePool } from './load-pool.ts';

const PURPOSE = 'casusoverleg-zvh';
const ROLE = 'case-worker';

/** Which registers lookups ask, and where they enter. */
export interface Way {
  /** The first so many registers. */
  readonly nodes: number;
  /** The first so many gateway replicas, in turn. */
  readonly replicas: number;
}

/** A lookup that is signed, and good for one request within the time window of its signature. */
export interface SignedLookup {
  /** Address of the gateway that it is for. */
  readonly gateway: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

/** One register's answer. */
export interface Answered {
  readonly node: string;
  readonly outcome: DeliveryReport['outcome'];
  /** `performance.now()` at which it was there. */
  readonly at: number;
}

/** What it takes to open an answer. */
interface Kept {
  readonly pooled: Pooled;
  readonly report: DeliveryReport;
  readonly outgoing: OutgoingSession;
  readonly counter: number;
  readonly ticket: Uint8Array;
}

/**
 * The asking agency: signs and seals as an asking agent does, with its code and keys. Elements are blinded beforehand. It
 * prepares what k6 puts, and asks by itself too, to open the answers and look whether they are right.
 */
export class LoadAsker {
  readonly #federation: LoadFederation;
  readonly #agent: OpenedAgent;
  readonly #backend: Backend;
  readonly #suite: Suite;
  readonly #signer: Signer;
  readonly #roster: RosterKeeper;
  readonly #gateways: readonly GatewayClient[];
  readonly #sessions: OutgoingSessions;
  readonly #commitments: NodeCommitments;
  readonly #pool: readonly Pooled[];
  #kept: Kept[] = [];
  #asked = 0;
  /** Answers that were opened, read to the end, and right. */
  checked = 0;

  private constructor(
    federation: LoadFederation,
    agent: OpenedAgent,
    { membership, signer }: Awaited<ReturnType<OpenedAgent['enrolled']>>,
    roster: RosterKeeper,
  ) {
    const { backend, suite, keys } = agent;
    const clock = Date.now;
    const random = secureRandom;
    this.#federation = federation;
    this.#agent = agent;
    this.#backend = backend;
    this.#suite = suite;
    this.#signer = signer;
    this.#roster = roster;
    this.#gateways = federation.gateways.map(({ url }) => httpGatewayClient(signer, agent.net(url)));
    this.#sessions = new OutgoingSessions({ backend, keys, roster: this.#roster, clock, random });
    const { gatewayKey } = membership;
    this.#commitments = new NodeCommitments({ backend, roster: this.#roster, gatewayKey, clock });
    this.#pool = makePool(suite, federation.people, this.tokenTypes);
  }

  /**
   * For the agents that run now. Asks each prepared lookup once, so that its evaluation is known and proved, and every
   * node holds a session.
   */
  static async make(federation: LoadFederation): Promise<LoadAsker> {
    const agent = await openAgent(join(federation.folder, ASKER));
    const { backend, state, keys } = agent;
    const log = { debug: ignore, info: ignore, warn: ignore, error: ignore };
    const enrolled = await agent.enrolled();
    const roster = await RosterKeeper.open(backend, state, enrolled.membership, log, Date.now, keys);
    const { signer } = enrolled;
    const [first] = federation.gateways;
    if (first === undefined) throw new Error('there is no gateway');
    const takeRoster = async (): Promise<void> =>
      roster.accept(await httpGatewayClient(signer, agent.net(first.url)).roster());
    await takeRoster();
    const asker = new LoadAsker(federation, agent, enrolled, roster);
    const way = { nodes: federation.agents.length, replicas: federation.gateways.length };
    for (let i = 0; i < POOL; i++)
      await asker.ask(way, ignore).catch(async (error: unknown) => {
        // Agents that have just started may tell the sizes of their tables once more.
        if (!(error instanceof HitError) || error.code !== 'roster-outdated') throw error;
        await takeRoster();
        await asker.ask(way, ignore);
      });
    await asker.checkAnswers();
    return asker;
  }

  get tokenTypes(): string[] {
    return Object.keys(this.#roster.roster.policy.settings.tokenTypes);
  }

  /**
   * The first `count` lookups of a rate, each signed at the moment at which it is due (lookups a second from `now`,
   * milliseconds since 1970), so that none is too old when its turn comes.
   */
  prepare(way: Way, { count, rate, now }: { count: number; rate: number; now: number }): SignedLookup[] {
    const { agency, backend, random } = this.#signer;
    return Array.from({ length: count }, (_, number) => {
      const body = JSON.stringify(this.#request(this.#pooled(number), namesOf(way)));
      const request = { method: 'POST', path: '/v1/lookups', body: utf8ToBytes(body) };
      const due = now + (1_000 * number) / rate;
      const seed = this.#signer.identitySeed();
      const { headers } = signRequest(backend, seed, agency, request, due, random);
      const { url } = this.#federation.gateways[number % way.replicas] as { readonly url: string };
      return { gateway: url, headers: { ...headers, 'content-type': 'application/json' }, body };
    });
  }

  /**
   * The body with the sealed questions of the lookup of this number that {@link prepare} made, from the gateway's reply to
   * it. Throws for a reply that is not one to this lookup.
   */
  async seal({ nodes }: Pick<Way, 'nodes'>, number: number, reply: Uint8Array): Promise<Uint8Array> {
    const names = namesOf({ nodes });
    const { questions } = await this.#seal(this.#pooled(number), parseJson(lookupOpenedSchema, reply), names);
    return questionsCodec.encode({ questions });
  }

  /**
   * One lookup, the next in turn. `answered` hears of each answer as it streams in. All are kept until
   * {@link checkAnswers}, since opening them would keep later ones waiting. Throws when it could not be opened.
   */
  async ask(way: Way, answered: (one: Answered) => void): Promise<void> {
    const number = this.#asked++;
    const pooled = this.#pooled(number);
    const gateway = this.#gateways[number % way.replicas] as GatewayClient;
    const names = namesOf(way);
    const { opened } = await gateway.openLookup(this.#request(pooled, names));
    const { questions, sent } = await this.#seal(pooled, opened, names);
    for await (const report of gateway.ask(opened, questions)) {
      const { node, outcome } = report;
      answered({ node, outcome, at: performance.now() });
      const by = sent.get(node);
      if (by === undefined) throw new Error(`${node} was not asked`);
      if (outcome === 'session-unknown') this.#sessions.drop(node, by.outgoing);
      if (outcome !== 'answered') continue;
      // Only who holds the session can have sealed an answer.
      by.outgoing.opening = undefined;
      this.#kept.push({ pooled, report, ...by });
    }
  }

  /** Opens the answers that came in and reads them to the end, against the committed tables. Throws for a wrong one. */
  async checkAnswers(): Promise<void> {
    for (const kept of this.#kept.splice(0)) await this.#check(kept);
  }

  async close(): Promise<void> {
    await this.#agent.database.close();
  }

  #pooled(number: number): Pooled {
    return this.#pool[number % POOL] as Pooled;
  }

  #request({ people, lookup }: Pooled, nodes: readonly string[]): LookupRequest {
    return {
      rosterVersion: this.#roster.roster.version,
      purpose: PURPOSE,
      caseCommitment: encodeBase64(secureRandom(32)),
      professional: encodeBase64(secureRandom(16)),
      role: ROLE,
      statements: [...(STATEMENTS[PURPOSE] ?? [])],
      registers: nodes.map((node) => `${node}/${REGISTER}`),
      tokenTypes: this.tokenTypes,
      persons: people.length,
      elements: encodeBase64(lookup.elements),
    };
  }

  async #seal(pooled: Pooled, opened: LookupOpened, nodes: readonly string[]) {
    const lookup = this.#evaluated(pooled, opened);
    const tickets = new Map(opened.tickets.map(({ node, ticket }) => [node, decodeBase64(ticket)]));
    const sent = new Map<string, Omit<Kept, 'pooled' | 'report'>>();
    const questions: SealedQuestion[] = [];
    for (const node of nodes) {
      const { outgoing, counter } = await this.#sessions.next(node);
      const { session, opening } = outgoing;
      const ticket = tickets.get(node);
      if (ticket === undefined) throw new Error(`there is no ticket for ${node}`);
      const { encoded } = this.#question(pooled, lookup, node);
      const ciphertext = sealQuestion(this.#backend, session, counter, ticket, encoded);
      questions.push({ node, sessionId: session.id, counter, opening, ciphertext });
      sent.set(node, { outgoing, counter, ticket });
    }
    return { questions, sent };
  }

  #evaluated(pooled: Pooled, opened: LookupOpened): EvaluatedLookup {
    const bytes = decodeBase64(opened.evaluated, pooled.lookup.elements.length);
    if (pooled.evaluated !== undefined && constantTimeEqual(bytes, pooled.evaluated.evaluated))
      return pooled.evaluated;
    if (pooled.evaluated !== undefined) throw new Error('the gateway evaluated the same elements otherwise');
    const gatewayKey = decodeBase64(this.#roster.trustedEvaluationKey(), 32);
    const proof = decodeBase64(opened.proof as string);
    return (pooled.evaluated = takeEvaluation(this.#suite, pooled.lookup, bytes, { gatewayKey, proof }));
  }

  #question(pooled: Pooled, lookup: EvaluatedLookup, node: string) {
    const known = pooled.questions.get(node);
    if (known !== undefined) return known;
    const agency = this.#roster.roster.agencies.find(({ id }) => id === node);
    const register = agency?.registers.find(({ id }) => id === REGISTER);
    if (register === undefined) throw new Error(`${node} has no register`);
    const budgets = this.#roster.trustedBudgets();
    const bits = Object.entries(register.tableBits).map(([type, most]) => [
      type,
      Math.min(most ?? 0, budgets[type] ?? 0),
    ]);
    const tableBits = Object.fromEntries(bits) as Record<string, number>;
    const question = makeQuestion(lookup, [{ register: REGISTER, tableBits }]);
    const made = { question, encoded: questionCodec.encode(question) };
    pooled.questions.set(node, made);
    return made;
  }

  async #check({ pooled, report, outgoing, counter, ticket }: Kept): Promise<void> {
    const { node, ciphertext = new Uint8Array(0) } = report;
    const answer = answerCodec.decode(
      openAnswer(this.#backend, outgoing.session, counter, ticket, ciphertext),
    );
    if (answer.type !== 'answered') throw new Error(`${node} refused: ${answer.reason}`);
    const lookup = pooled.evaluated as EvaluatedLookup;
    const { question } = this.#question(pooled, lookup, node);
    const tables = (await this.#commitments.of(node, answer))?.tables;
    const [result] = readAnswer(this.#suite, lookup, node, question, answer, tables);
    const expected = pooled.people.map((person) => this.#federation.isKnown(person, numberOf(node)));
    if (!isRight(result, expected)) throw new Error(`${node} gave a wrong answer`);
    this.checked++;
  }
}

const ignore = (): void => undefined;
const namesOf = ({ nodes }: Pick<Way, 'nodes'>): string[] =>
  Array.from({ length: nodes }, (_, i) => nodeName(i));
const numberOf = (node: string): number => Number(node.split('-')[1]) - 1;

function isRight(result: RegisterResult | undefined, expected: readonly boolean[]): boolean {
  if (result === undefined || !('persons' in result)) return false;
  return result.persons.every(({ status }, i) => status === (expected[i] === true ? 'known' : 'not-known'));
}

import { join } from 'node:path';
import type {
  Backend,
  DeliveryReport,
  EvaluatedLookup,
  LookupOpened,
  PreparedLookup,
  Question,
  RegisterResult,
  Roster,
  Suite,
} from '@hitmachine/protocol';
import {
  answerCodec,
  constantTimeEqual,
  decodeBase64,
  encodeBase64,
  makeQuestion,
  openAnswer,
  prepareLookup,
  questionCodec,
  readAnswer,
  sealQuestion,
  takeEvaluation,
  tokensOf,
} from '@hitmachine/protocol';
import { httpGatewayClient } from '../node-agent/src/adapters/http/gateway-client.ts';
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

const PURPOSE = 'casusoverleg-zvh';
const ROLE = 'case-worker';
/** Of ten lookups these are about a household of four, the others about one person. */
const HOUSEHOLDS = [2, 5, 8];
const HOUSEHOLD = 4;
/** Lookups with prepared blinded elements, asked in turn. */
const POOL = 40;
/** Answers of one lookup in so many are opened and read to the end, each of them. */
const SAMPLE = 8;

/** Persons that a lookup is about, by its number. */
export const personsOf = (i: number): number => (HOUSEHOLDS.includes(i % 10) ? HOUSEHOLD : 1);
/** Persons of a lookup in the mean. */
export const MEAN_PERSONS = Array.from({ length: 10 }, (_, i) => personsOf(i)).reduce((a, b) => a + b) / 10;

interface Prepared {
  /** Numbers of the people asked about. */
  readonly people: readonly number[];
  readonly lookup: PreparedLookup;
  /** As the gateway evaluated it the first time, which was proved; it has to be the same every time. */
  evaluated?: EvaluatedLookup;
  readonly questions: Map<string, { readonly question: Question; readonly encoded: Uint8Array }>;
}

/** One register's answer. */
export interface Answered {
  readonly node: string;
  readonly outcome: DeliveryReport['outcome'];
  /** `performance.now()` at which it was there. */
  readonly at: number;
}

/**
 * The asking side of the load: signs and seals as an asking agent does, with its code and keys. Elements are blinded
 * beforehand; what it takes itself is not measured. Every answer of one lookup in eight is opened and read, and a wrong
 * one ends the run.
 */
export class LoadAsker {
  readonly #federation: LoadFederation;
  readonly #agent: OpenedAgent;
  readonly #backend: Backend;
  readonly #suite: Suite;
  readonly #roster: RosterKeeper;
  readonly #gateways: readonly GatewayClient[];
  readonly #sessions: OutgoingSessions;
  readonly #commitments: NodeCommitments;
  readonly #pool: Prepared[] = [];
  #asked = 0;
  /** Answers that were read to the end, and were right. */
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
    this.#roster = roster;
    this.#gateways = federation.gateways.map(({ url }) => httpGatewayClient(signer, agent.net(url)));
    this.#sessions = new OutgoingSessions({ backend, keys, roster: this.#roster, clock, random });
    const { gatewayKey } = membership;
    this.#commitments = new NodeCommitments({ backend, roster: this.#roster, gatewayKey, clock });
  }

  /** For the agents that run now. */
  static async make(federation: LoadFederation): Promise<LoadAsker> {
    const agent = await openAgent(join(federation.folder, ASKER));
    const { backend, state, keys } = agent;
    const log = { debug: ignore, info: ignore, warn: ignore, error: ignore };
    const enrolled = await agent.enrolled();
    const roster = await RosterKeeper.open(backend, state, enrolled.membership, log, Date.now, keys);
    const asker = new LoadAsker(federation, agent, enrolled, roster);
    await asker.refresh();
    const { people } = federation;
    for (let i = 0; i < POOL; i++) {
      // Whom everybody knows, whom one register knows and whom nobody knows are taken in turn.
      const about = Array.from({ length: personsOf(i) }, (_, k) => [
        k,
        40 + ((97 * k) % (people.length - 80)),
        people.length - 1 - k,
      ])
        .flat()
        .slice(i % 3, (i % 3) + personsOf(i));
      const tokens = about.map((person) => {
        const { bsn, surname = '', givenNames = '', birthDate } = people[person] ?? {};
        return tokensOf({ bsn, name: { surname, givenNames }, birthDate }, asker.tokenTypes);
      });
      const lookup = prepareLookup(asker.#suite, tokens, asker.tokenTypes, secureRandom);
      asker.#pool.push({ people: about, lookup, questions: new Map() });
    }
    return asker;
  }

  get tokenTypes(): string[] {
    return Object.keys(this.#roster.roster.policy.settings.tokenTypes);
  }

  /** Takes in the newest roster; tables that were built since are asked with their sizes. */
  async refresh(): Promise<void> {
    await this.#roster.accept(await (this.#gateways[0] as GatewayClient).roster());
    for (const { questions } of this.#pool) questions.clear();
  }

  /**
   * One lookup at the first `nodes` registers, with the next prepared elements, at the first `replicas` in turn.
   * `answered` hears of each answer as it comes in. Throws when it could not be opened, and for a wrong answer.
   */
  async ask(nodes: number, replicas: number, answered: (one: Answered) => void): Promise<void> {
    const number = this.#asked++;
    const prepared = this.#pool[number % POOL] as Prepared;
    const gateway = this.#gateways[number % replicas] as GatewayClient;
    const names = Array.from({ length: nodes }, (_, i) => nodeName(i));
    const opened = await this.#open(gateway, prepared, names);
    const lookup = this.#evaluated(prepared, opened);
    const tickets = new Map(opened.tickets.map(({ node, ticket }) => [node, decodeBase64(ticket)]));
    const sent = new Map<string, { readonly outgoing: OutgoingSession; readonly counter: number }>();
    const sealed = [];
    for (const node of names) {
      const { outgoing, counter } = await this.#sessions.next(node);
      const { encoded } = this.#question(prepared, lookup, node);
      const ticket = tickets.get(node) as Uint8Array;
      const ciphertext = sealQuestion(this.#backend, outgoing.session, counter, ticket, encoded);
      const { session, opening } = outgoing;
      sealed.push({ node, sessionId: session.id, counter, opening, ciphertext });
      sent.set(node, { outgoing, counter });
    }
    for await (const report of gateway.ask(opened, sealed)) {
      answered({ node: report.node, outcome: report.outcome, at: performance.now() });
      const by = sent.get(report.node);
      if (by === undefined) throw new Error(`${report.node} was not asked`);
      if (report.outcome === 'session-unknown') this.#sessions.drop(report.node, by.outgoing);
      if (report.outcome !== 'answered') continue;
      // Only who holds the session can have sealed an answer.
      by.outgoing.opening = undefined;
      if (number % SAMPLE === 0)
        await this.#check(prepared, report, by, tickets.get(report.node) as Uint8Array);
    }
  }

  async close(): Promise<void> {
    await this.#agent.database.close();
  }

  async #open(gateway: GatewayClient, prepared: Prepared, nodes: readonly string[]): Promise<LookupOpened> {
    const { roster }: { readonly roster: Roster } = this.#roster;
    const { opened } = await gateway.openLookup({
      rosterVersion: roster.version,
      purpose: PURPOSE,
      caseCommitment: encodeBase64(secureRandom(32)),
      professional: encodeBase64(secureRandom(16)),
      role: ROLE,
      statements: [...(STATEMENTS[PURPOSE] ?? [])],
      registers: nodes.map((node) => `${node}/${REGISTER}`),
      tokenTypes: this.tokenTypes,
      persons: prepared.people.length,
      elements: encodeBase64(prepared.lookup.elements),
    });
    return opened;
  }

  #evaluated(prepared: Prepared, opened: LookupOpened): EvaluatedLookup {
    const bytes = decodeBase64(opened.evaluated, prepared.lookup.elements.length);
    if (prepared.evaluated !== undefined && constantTimeEqual(bytes, prepared.evaluated.evaluated))
      return prepared.evaluated;
    if (prepared.evaluated !== undefined)
      throw new Error('the gateway evaluated the same elements otherwise');
    const gatewayKey = decodeBase64(this.#roster.trustedEvaluationKey(), 32);
    const proof = decodeBase64(opened.proof as string);
    return (prepared.evaluated = takeEvaluation(this.#suite, prepared.lookup, bytes, { gatewayKey, proof }));
  }

  #question(prepared: Prepared, lookup: EvaluatedLookup, node: string) {
    const known = prepared.questions.get(node);
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
    prepared.questions.set(node, made);
    return made;
  }

  async #check(
    prepared: Prepared,
    report: DeliveryReport,
    { outgoing, counter }: { readonly outgoing: OutgoingSession; readonly counter: number },
    ticket: Uint8Array,
  ): Promise<void> {
    const { node, ciphertext = new Uint8Array(0) } = report;
    const answer = answerCodec.decode(
      openAnswer(this.#backend, outgoing.session, counter, ticket, ciphertext),
    );
    if (answer.type !== 'answered') throw new Error(`${node} refused: ${answer.reason}`);
    const lookup = prepared.evaluated as EvaluatedLookup;
    const { question } = this.#question(prepared, lookup, node);
    const tables = (await this.#commitments.of(node, answer))?.tables;
    const [result] = readAnswer(this.#suite, lookup, node, question, answer, tables);
    const expected = prepared.people.map((person) => this.#federation.isKnown(person, numberOf(node)));
    if (!isRight(result, expected)) throw new Error(`${node} gave a wrong answer`);
    this.checked++;
  }
}

const ignore = (): void => undefined;
const numberOf = (node: string): number => Number(node.split('-')[1]) - 1;

function isRight(result: RegisterResult | undefined, expected: readonly boolean[]): boolean {
  if (result === undefined || !('persons' in result)) return false;
  return result.persons.every(({ status }, i) => status === (expected[i] === true ? 'known' : 'not-known'));
}

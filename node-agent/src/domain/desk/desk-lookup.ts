import type { HitError, Purpose } from '@hitmachine/protocol';
import type { LookupEvent, PutQuestion } from '../asking/lookup.ts';
import type { LookupGroup } from '../asking/lookup-groups.ts';
import type { AddressedRegister, LookupInput } from '../asking/lookup-input.ts';
import type { NoAnswerReason, Outcome } from '../asking/outcome.ts';
import type { NotAsked } from '../asking/not-asked.ts';

/** What came out at one register, by place of the person in the question; undefined for who was not asked about there. */
export interface DeskRow {
  readonly register: AddressedRegister;
  readonly outcomes: readonly (Outcome | undefined)[];
}

/** How far a question is: it waits for a colleague, is asked, was answered, could not be asked, or was declined. */
export type DeskState = 'waiting' | 'running' | 'done' | 'failed' | 'declined';

/** A question as it was begun. */
export interface BegunQuestion {
  /** Milliseconds since 1970. */
  readonly askedAt: number;
  readonly notAsked: readonly (readonly NotAsked[])[];
  readonly missing: readonly string[];
  readonly groups: readonly LookupGroup[];
}

/** Reasons that asking again does not change. */
const LASTING: readonly NoAnswerReason[] = ['no-common-token', 'too-large', 'key-changed'];

const isAnswer = (outcome: Outcome | undefined): boolean =>
  outcome?.status === 'known' || outcome?.status === 'not-known';

const isWorthAsking = (outcome: Outcome | undefined): boolean =>
  outcome?.status === 'no-answer' && !LASTING.includes(outcome.reason);

const knownIn = ({ outcomes }: DeskRow): number => outcomes.filter((one) => one?.status === 'known').length;

/** A question of a professional and what has come out of it, for as long as the screen needs it: in memory alone. */
export class DeskLookup {
  readonly key: string;
  /** The professional at the identity provider. */
  readonly subject: string;
  readonly purpose: Purpose;
  /** What each person is called on the screen. */
  readonly labels: readonly string[];
  /** Milliseconds since 1970. */
  readonly since: number;
  state: DeskState = 'waiting';
  /** What was typed; dropped when it can be of no more use. */
  input: LookupInput | undefined;
  begun: BegunQuestion | undefined;
  failure: HitError | undefined;
  /** Who approved or declined it. */
  decidedBy: string | undefined;
  readonly lookupIds: string[] = [];
  /** Rises each time that it is asked again, so that a second click on the same button does nothing. */
  round = 0;
  /** The lookups of the first round: what is asked again is these. */
  put: PutQuestion[] = [];
  readonly #outcomes = new Map<string, (Outcome | undefined)[]>();
  #change = Promise.withResolvers<void>();

  constructor(
    of: Pick<DeskLookup, 'key' | 'subject' | 'purpose' | 'labels' | 'since'> & {
      readonly input: LookupInput;
    },
  ) {
    this.key = of.key;
    this.subject = of.subject;
    this.purpose = of.purpose;
    this.labels = of.labels;
    this.since = of.since;
    this.input = of.input;
  }

  /** The registers that are asked about anybody. */
  get registers(): AddressedRegister[] {
    const all = new Map(
      (this.begun?.groups ?? []).flatMap(({ registers }) =>
        registers.map((register) => [register.name, register] as const),
      ),
    );
    return [...all.values()];
  }

  /** Rows of the registers that have answered about everybody whom they were asked about, in the order in which they did. */
  get rows(): DeskRow[] {
    return [...this.#outcomes.keys()].flatMap((name) => this.#rowOf(name) ?? []);
  }

  /** The registers that it is worth asking again. */
  get withoutAnswer(): AddressedRegister[] {
    return this.rows.filter(({ outcomes }) => outcomes.some(isWorthAsking)).map(({ register }) => register);
  }

  /** Whether every register said of everybody whom it was asked about whether it knows him or her. */
  get isComplete(): boolean {
    const rows = this.rows;
    const answered = (outcome: Outcome | undefined): boolean => outcome === undefined || isAnswer(outcome);
    return (
      this.begun?.missing.length === 0 &&
      rows.length === this.registers.length &&
      rows.every(({ outcomes }) => outcomes.every(answered))
    );
  }

  /** The lookups of the question that were never put: the gateway refused, or was away, before their turn came. */
  get notPut(): LookupGroup[] {
    const put = new Set(this.put.map(({ persons }) => persons.join()));
    return (this.begun?.groups ?? []).filter(({ persons }) => !put.has(persons.join()));
  }

  /** Whether it is worth asking a register again about any of these persons. */
  isWanted(register: string, persons: readonly number[]): boolean {
    const outcomes = this.#outcomes.get(register);
    return persons.some((person) => outcomes?.[person] === undefined || isWorthAsking(outcomes[person]));
  }

  /** Says of every register without a word about somebody that there is no answer: nothing is left out in silence. */
  fill(): void {
    for (const { registers, persons } of this.begun?.groups ?? [])
      for (const register of registers) {
        const outcomes = this.#outcomes.get(register.name) ?? this.labels.map(() => undefined);
        for (const person of persons) outcomes[person] ??= { status: 'no-answer', reason: 'not-put' };
        this.#outcomes.set(register.name, outcomes);
      }
    this.changed();
  }

  take(event: LookupEvent): void {
    if (event.type === 'opened') {
      this.lookupIds.push(event.lookupId);
      if (!this.put.some(({ persons }) => persons.join() === event.question.persons.join()))
        this.put.push(event.question);
    } else {
      const { name } = event.register;
      const outcomes = this.#outcomes.get(name) ?? this.labels.map(() => undefined);
      event.outcomes.forEach((outcome, i) => {
        const person = event.persons[i] as number;
        // An answer stays, whatever comes of asking somebody else of the household again.
        if (!isAnswer(outcomes[person])) outcomes[person] = outcome;
      });
      // Set anew, so that rows stand in the order of their last answer.
      this.#outcomes.delete(name);
      this.#outcomes.set(name, outcomes);
    }
    this.changed();
  }

  /** Takes away what stands in the place of an answer, where it is asked for again. */
  clear(): void {
    for (const outcomes of this.#outcomes.values())
      outcomes.forEach((outcome, person) => {
        if (isWorthAsking(outcome)) outcomes[person] = undefined;
      });
  }

  changed(): void {
    this.#change.resolve();
    this.#change = Promise.withResolvers();
  }

  /** Resolves when something changes. */
  next(): Promise<void> {
    return this.#change.promise;
  }

  /** Rows as they are there and then come, until nothing runs any more; those that know somebody first when all are there. */
  async *follow(): AsyncGenerator<DeskRow> {
    if (this.state !== 'running') {
      yield* this.rows.sort((a, b) => knownIn(b) - knownIn(a));
      return;
    }
    const shown = new Set<string>();
    for (;;) {
      const change = this.next();
      const running = this.state === 'running';
      for (const row of this.rows)
        if (!shown.has(row.register.name)) {
          shown.add(row.register.name);
          yield row;
        }
      if (!running) return;
      await change;
    }
  }

  #rowOf(name: string): DeskRow | undefined {
    const register = this.registers.find((one) => one.name === name);
    const outcomes = this.#outcomes.get(name);
    if (register === undefined || outcomes === undefined) return undefined;
    const wanted = (this.begun?.groups ?? [])
      .filter(({ registers }) => registers.some((one) => one.name === name))
      .flatMap(({ persons }) => persons);
    return wanted.every((person) => outcomes[person] !== undefined) ? { register, outcomes } : undefined;
  }
}

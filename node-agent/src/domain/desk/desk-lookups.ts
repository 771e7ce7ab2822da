import { HitError, LIMITS } from '@hitmachine/protocol';
import type { IdempotencyStore } from '../../ports/idempotency-store.ts';
import type { OperationalLog } from '../../ports/operational-log.ts';
import { askAgain } from '../asking/ask-again.ts';
import { DeskLookup } from './desk-lookup.ts';
import type { LookupEvent, LookupService, PutQuestion } from '../asking/lookup.ts';
import type { LookupGroup } from '../asking/lookup-groups.ts';
import { beginLookup } from '../asking/lookup.ts';
import type { LookupInput } from '../asking/lookup-input.ts';
import { KEYS_MS } from '../asking/idempotent-lookups.ts';
import { canonicalName, requestPseudonym } from '../pseudonymise.ts';
import { previewQuestion, wantsApproval } from '../asking/question-preview.ts';

/** Milliseconds that a question and what came out stay in memory. */
export const DESK_MS = 60 * 60_000;
/** Questions that are kept of one professional, and of all. */
const MAX_OF_ONE = 50;
const MAX_OF_ALL = 2_000;

/** Who decides about a colleague's question. */
interface Approver {
  readonly subject: string;
  /** As the log names him or her. */
  readonly professional: string;
  /** Of the federation. */
  readonly roles: readonly string[];
}

/**
 * The questions that professionals ask at the desk. They run by themselves, whether or not somebody looks on, and are
 * found again by the key of their form: the same form asks once. Kept in memory alone, and not for long: who was asked
 * about stands nowhere else but as pseudonyms in the log.
 */
export class DeskLookups {
  readonly #service: LookupService;
  readonly #log: OperationalLog;
  readonly #submitted = new Map<string, Promise<DeskLookup>>();
  readonly #known = new Map<string, DeskLookup>();
  readonly #running = new Set<Promise<void>>();
  readonly #sent: IdempotencyStore | undefined;

  /** `sent`: which forms were sent, to whichever replica of this agent; an agent alone remembers that by itself. */
  constructor(service: LookupService, log: OperationalLog, sent?: IdempotencyStore) {
    this.#service = service;
    this.#log = log;
    this.#sent = sent;
  }

  /**
   * Asks, or lays the question before a colleague where the purpose wants that. A form that was sent before gives what it
   * gave then. Rejects with what {@link beginLookup} throws; then nothing is kept and the form may be sent again. Rejects
   * with `already-exists` for one that was sent to another replica.
   */
  async submit(
    key: string,
    subject: string,
    input: LookupInput,
    labels: readonly string[],
  ): Promise<DeskLookup> {
    const before = this.#submitted.get(key);
    if (before !== undefined) return own(await before, subject);
    // Kept before anything is waited for: a second click must find it.
    const submitted = this.#once(key, () => this.#begin(key, subject, input, labels));
    this.#submitted.set(key, submitted);
    try {
      return await submitted;
    } catch (error) {
      this.#submitted.delete(key);
      throw error;
    }
  }

  /** Does what is done for a form, where no replica has done it or does it now. */
  async #once<T>(form: string, work: () => Promise<T>): Promise<T> {
    if (this.#sent === undefined) return work();
    const { keys, clock } = this.#service;
    const name = requestPseudonym(keys, 'desk-form', form);
    const at = clock();
    await this.#sent.forgetBefore(at - KEYS_MS);
    if ((await this.#sent.claim(name, { request: '', at })) !== undefined)
      throw new HitError('already-exists', 'this form was sent to another replica of this agent');
    try {
      return await work();
    } catch (error) {
      await this.#sent.release(name);
      throw error;
    }
  }

  /** A question of this professional. Throws `not-found`. */
  find(key: string, subject: string): DeskLookup {
    return own(this.#known.get(key), subject);
  }

  /** The questions of others that wait for an approval which somebody in one of these roles may give. */
  waiting({ subject, professional, roles }: Approver): DeskLookup[] {
    return [...this.#known.values()].filter(
      ({ state, subject: asker, input, purpose }) =>
        state === 'waiting' &&
        asker !== subject &&
        input !== undefined &&
        canonicalName(input.professional) !== canonicalName(professional) &&
        purpose.askers.roles.some((role) => roles.includes(role)),
    );
  }

  /** Approves a question, which is then asked, or declines it. Rejects with `not-found` when it does not wait for this person. */
  async decide(key: string, by: Approver, approved: boolean): Promise<DeskLookup> {
    const lookup = this.waiting(by).find((one) => one.key === key);
    const role = by.roles.find((one) => lookup?.purpose.askers.roles.includes(one) === true);
    if (lookup?.input === undefined || role === undefined)
      throw new HitError('not-found', 'no such question waits for your approval');
    lookup.decidedBy = by.professional;
    if (!approved) {
      decline(lookup);
      return lookup;
    }
    lookup.input = { ...lookup.input, approval: { professional: by.professional, role } };
    await this.#ask(lookup, lookup.input).catch((error: unknown) => this.#failed(lookup, error));
    return lookup;
  }

  /**
   * Asks the registers that did not answer again, or everything where nothing could be asked. Does nothing for a `round`
   * that is over: the button was pressed twice. Rejects with `not-ready` when it is too late.
   */
  async again(lookup: DeskLookup, round: number): Promise<void> {
    if (round !== lookup.round || (lookup.state !== 'done' && lookup.state !== 'failed')) return;
    if (lookup.input === undefined)
      throw new HitError('not-ready', 'this question is not kept any more: ask a new one');
    if (lookup.put.length === 0) return this.#ask(lookup, lookup.input);
    lookup.round++;
    lookup.failure = undefined;
    lookup.state = 'running';
    const { input, put, notPut } = lookup;
    const wanted = new Map(
      put.map(({ persons, asked }) => [
        persons.join(),
        new Set(asked.registers.map(({ name }) => name).filter((name) => lookup.isWanted(name, persons))),
      ]),
    );
    lookup.clear();
    this.#run(lookup, this.#rest(input, put, wanted, notPut));
  }

  /** What has no answer yet: the registers of `wanted` by their persons once more, and the lookups that were never put. */
  async *#rest(
    input: LookupInput,
    put: readonly PutQuestion[],
    wanted: ReadonlyMap<string, ReadonlySet<string>>,
    notPut: readonly LookupGroup[],
  ): AsyncGenerator<LookupEvent> {
    const isWanted = (register: string, persons: readonly number[]): boolean =>
      wanted.get(persons.join())?.has(register) === true;
    if ([...wanted.values()].some(({ size }) => size > 0))
      yield* await askAgain(this.#service, put, isWanted);
    for (const { persons, registers } of notPut) {
      const part = {
        ...input,
        persons: persons.map((person) => input.persons[person] as LookupInput['persons'][number]),
        registers: registers.map(({ name }) => name),
      };
      const placed = (own: readonly number[]): number[] => own.map((place) => persons[place] as number);
      for await (const event of (await beginLookup(this.#service, part)).events)
        yield event.type === 'opened'
          ? {
              ...event,
              persons: placed(event.persons),
              question: { ...event.question, persons: placed(event.question.persons) },
            }
          : { ...event, persons: placed(event.persons) };
    }
  }

  /** Resolves when nothing runs any more. */
  async settled(): Promise<void> {
    await Promise.all(this.#running);
  }

  async #begin(
    key: string,
    subject: string,
    input: LookupInput,
    labels: readonly string[],
  ): Promise<DeskLookup> {
    const { purpose } = previewQuestion(this.#service, input);
    const lookup = new DeskLookup({ key, subject, purpose, labels, since: this.#service.clock(), input });
    if (!wantsApproval(this.#service, input)) await this.#ask(lookup, input);
    this.#keep(lookup);
    return lookup;
  }

  async #ask(lookup: DeskLookup, input: LookupInput): Promise<void> {
    const before = lookup.state;
    lookup.state = 'running';
    try {
      const begun = await beginLookup(this.#service, input);
      lookup.begun = begun;
      lookup.failure = undefined;
      this.#run(lookup, begun.events);
    } catch (error) {
      lookup.state = before;
      throw error;
    }
    // What was typed and the blinds are of use as long as it can be asked again.
    setTimeout(() => {
      lookup.input = undefined;
      lookup.put = [];
    }, LIMITS.againMs).unref();
  }

  #run(lookup: DeskLookup, events: AsyncIterable<LookupEvent>): void {
    const running = (async () => {
      try {
        for await (const event of events) lookup.take(event);
        lookup.state = 'done';
      } catch (error) {
        this.#failed(lookup, error);
      } finally {
        // Whatever went wrong: where nothing was heard, it says so.
        if (lookup.state === 'done') lookup.fill();
        lookup.changed();
      }
    })();
    this.#running.add(running);
    void running.then(() => this.#running.delete(running));
    lookup.changed();
  }

  /** What was answered before stays; a question that could not be asked says so. */
  #failed(lookup: DeskLookup, error: unknown): void {
    if (!(error instanceof HitError))
      this.#log.error({ event: 'internal-error', path: 'desk', stack: (error as Error).stack });
    lookup.failure = error instanceof HitError ? error : new HitError('internal');
    lookup.state = lookup.round > 0 || lookup.put.length > 0 ? 'done' : 'failed';
    lookup.changed();
  }

  #keep(lookup: DeskLookup): void {
    const ofOne = [...this.#known.values()].filter(({ subject }) => subject === lookup.subject);
    const [oldest] = this.#known.values();
    if (ofOne.length >= MAX_OF_ONE) this.#forget(ofOne[0] as DeskLookup);
    if (this.#known.size >= MAX_OF_ALL && oldest !== undefined) this.#forget(oldest);
    this.#known.set(lookup.key, lookup);
    setTimeout(() => this.#forget(lookup), DESK_MS).unref();
  }

  #forget(lookup: DeskLookup): void {
    this.#known.delete(lookup.key);
    this.#submitted.delete(lookup.key);
    if (lookup.state === 'waiting') decline(lookup);
  }
}

function own(lookup: DeskLookup | undefined, subject: string): DeskLookup {
  if (lookup?.subject === subject) return lookup;
  throw new HitError('not-found', 'there is no such question, or it is not kept any more');
}

/** What was typed goes with it. */
function decline(lookup: DeskLookup): void {
  lookup.state = 'declined';
  lookup.input = undefined;
  lookup.changed();
}

import { HitError } from '@hitmachine/protocol';

/** How much may be worked on and wait at once. */
export interface AdmissionLimits {
  /** Pieces of work at once. */
  readonly atOnce: number;
  /** Pieces of one agency, worked on and waiting together. */
  readonly ofOne: number;
  /** Pieces of all that name no agency of the roster, likewise. */
  readonly ofStrangers: number;
  /** Pieces that wait, of all agencies together. */
  readonly waiting: number;
  /** Milliseconds after which whoever still waits is told to come back: it would be too late for it anyhow. */
  readonly waitAtMostMs: number;
}

/** Lookups: each takes some milliseconds here, and somebody sits in front of a screen. */
export const LOOKUP_LIMITS: AdmissionLimits = {
  atOnce: 32,
  ofOne: 256,
  ofStrangers: 16,
  waiting: 1_024,
  waitAtMostMs: 2_000,
};
/** Batches of an import: half a second each in a thread of their own, and nobody waits for them. */
export const IMPORT_LIMITS: AdmissionLimits = {
  atOnce: 2,
  ofOne: 32,
  ofStrangers: 2,
  waiting: 256,
  waitAtMostMs: 20_000,
};

/** Seconds after which an agency or the whole gateway has room again, as far as can be told. */
const RETRY_AFTER_S = 1;
/** Milliseconds by which half of all that happens in the process is late: from here on it falls ever further behind. */
const LATE_MS = 300;

/** The queue of all that name no agency of the roster; no agency is named so. */
const STRANGERS = '';

interface Waiting {
  readonly since: number;
  readonly begin: () => void;
  readonly refuse: (error: HitError) => void;
}

/**
 * Lets in as much work as can be done in time and turns away the rest at once, before anything was spent on it. Agencies
 * take turns, so that one which asks very much waits for itself and not the others for it.
 */
export class Admission {
  readonly #limits: AdmissionLimits;
  readonly #lateMs: () => number;
  /** By agency, in the order of whose turn it is. */
  readonly #queues = new Map<string, Waiting[]>();
  /** Pieces of each agency that are worked on or wait. */
  readonly #pieces = new Map<string, number>();
  /** Until when agencies that came with too much are turned away unseen. */
  readonly #turnedAway = new Map<string, number>();
  /** Agencies of which a request is looked at that came on top of too much. */
  readonly #inQuestion = new Set<string>();
  #running = 0;
  #waiting = 0;

  /** `lateMs`: by how much this process is late with what it has to do at the moment. */
  constructor(limits: AdmissionLimits, lateMs: () => number = () => 0) {
    this.#limits = limits;
    this.#lateMs = lateMs;
  }

  /**
   * Throws `overloaded` or `agency-busy` for what would be turned away anyhow, before its body is read. `agency` is the
   * one of the roster that a request names, undefined where it names none.
   */
  requireRoom(agency: string | undefined): void {
    if (this.#lateMs() > LATE_MS || this.#waiting >= this.#limits.waiting) throw overloaded();
    if (agency === undefined) return;
    if ((this.#turnedAway.get(agency) ?? 0) > performance.now()) throw busy();
    this.#turnedAway.delete(agency);
  }

  /**
   * Does work of an agency when it is its turn. Throws `agency-busy` or `overloaded` without having begun. `isTheirs`
   * tells whether a request really comes from the agency that it names; only then is that agency turned away unseen for
   * a moment, so that nobody else has it turned away so.
   */
  async run<T>(
    agency: string | undefined,
    work: () => Promise<T>,
    isTheirs: () => Promise<boolean>,
  ): Promise<T> {
    const { ofOne, ofStrangers, waiting } = this.#limits;
    const queue = agency ?? STRANGERS;
    const pieces = this.#pieces.get(queue) ?? 0;
    if (pieces >= (agency === undefined ? ofStrangers : ofOne)) {
      if (agency !== undefined) await this.#question(agency, isTheirs);
      throw busy();
    }
    if (this.#waiting >= waiting) throw overloaded();
    this.#pieces.set(queue, pieces + 1);
    try {
      await this.#turn(queue);
      try {
        return await work();
      } finally {
        this.#running--;
        this.#next();
      }
    } finally {
      const left = (this.#pieces.get(queue) ?? 1) - 1;
      if (left === 0) this.#pieces.delete(queue);
      else this.#pieces.set(queue, left);
    }
  }

  /** Has an agency turned away unseen when a request on top of too much is its own. One at a time: a flood costs little. */
  async #question(agency: string, isTheirs: () => Promise<boolean>): Promise<void> {
    if (this.#inQuestion.has(agency)) return;
    this.#inQuestion.add(agency);
    try {
      if (await isTheirs()) this.#turnedAway.set(agency, performance.now() + RETRY_AFTER_S * 1_000);
    } finally {
      this.#inQuestion.delete(agency);
    }
  }

  /** Resolves when this piece may begin. */
  #turn(agency: string): Promise<void> {
    if (this.#running < this.#limits.atOnce) {
      this.#running++;
      return Promise.resolve();
    }
    return new Promise((resolve, reject) => {
      const queue = this.#queues.get(agency) ?? [];
      queue.push({ since: performance.now(), begin: resolve, refuse: reject });
      this.#queues.set(agency, queue);
      this.#waiting++;
    });
  }

  /** Gives the next agency its turn. */
  #next(): void {
    const now = performance.now();
    while (this.#running < this.#limits.atOnce) {
      const [agency, queue] = this.#queues.entries().next().value ?? [];
      if (agency === undefined || queue === undefined) return;
      this.#queues.delete(agency);
      const first = queue.shift();
      if (queue.length > 0) this.#queues.set(agency, queue);
      if (first === undefined) continue;
      this.#waiting--;
      if (now - first.since > this.#limits.waitAtMostMs) first.refuse(overloaded());
      else {
        this.#running++;
        first.begin();
      }
    }
  }
}

const busy = (): HitError =>
  new HitError('agency-busy', 'much of this agency is being worked on already: ask again in a moment', {
    retryAfter: RETRY_AFTER_S,
  });

const overloaded = (): HitError =>
  new HitError('overloaded', 'the gateway has too much to do at the moment: ask again in a moment', {
    retryAfter: RETRY_AFTER_S,
  });

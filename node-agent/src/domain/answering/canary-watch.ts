import type { Unavailable } from '@hitmachine/protocol';
import { bytesToHex } from '@hitmachine/protocol';
import type { Clock } from '../../ports/clock.ts';

/** Rounds that may be on their way at once: one, and some that were given up. */
const MAX_ASKED = 16;

export interface CanaryState {
  /** Milliseconds since 1970 of the last time that the canary came back. */
  readonly lastBack: number | undefined;
  /** What went wrong since, in a few words. */
  readonly problem: string | undefined;
}

/**
 * Whether each register's canary came back. A register is answered for only while its canary did so lately; one
 * that the answering path itself says it does not know is out at once.
 */
export class CanaryWatch {
  /** Digests of the latest questions that this agent itself asked about its canaries, newest last. */
  #asked: string[] = [];
  readonly #states = new Map<string, CanaryState & { readonly failed: boolean }>();
  /** Called at each change of a state. */
  readonly #waiting = new Set<() => void>();
  readonly #clock: Clock;
  readonly #staleAfterMs: number;

  constructor(clock: Clock, staleAfterMs: number) {
    this.#clock = clock;
    this.#staleAfterMs = staleAfterMs;
  }

  /** Other tables are answered from now: what their canary says is not known yet. */
  startAgain(): void {
    for (const [register, { problem }] of this.#states)
      this.#change(register, { lastBack: undefined, problem, failed: false });
  }

  /** Whether the canary of one of these registers is still to come back for the first time in its tables. */
  isAwaited(registers: Iterable<string>): boolean {
    return [...registers].some((register) => this.state(register).lastBack === undefined);
  }

  /**
   * Resolves when none of these registers' canaries is still to come back for the first time, and after `milliseconds` at
   * the latest: other tables are proved a moment after they were switched to, and that moment is not worth a "no answer".
   */
  async awaited(registers: readonly string[], milliseconds: number): Promise<void> {
    const isSettled = (): boolean => registers.every((register) => this.obstacle(register) !== 'starting');
    if (isSettled()) return;
    await new Promise<void>((resolve) => {
      const end = (): void => {
        clearTimeout(timer);
        this.#waiting.delete(look);
        resolve();
      };
      const look = (): void => {
        if (isSettled()) end();
      };
      const timer = setTimeout(end, milliseconds);
      this.#waiting.add(look);
    });
  }

  /** This agent asks about its canaries with this request; `requestDigest` is that of its signature base. */
  expect(requestDigest: Uint8Array): void {
    this.#asked = [...this.#asked, bytesToHex(requestDigest)].slice(-MAX_ASKED);
  }

  /** Whether this agent itself asked about its canaries with a request. */
  isExpected(requestDigest: Uint8Array): boolean {
    return this.#asked.includes(bytesToHex(requestDigest));
  }

  cameBack(register: string): void {
    this.#change(register, { lastBack: this.#clock(), problem: undefined, failed: false });
  }

  /** The register answered, and did not know its own canary. */
  wasNotKnown(register: string): void {
    this.#change(register, {
      ...this.state(register),
      problem:
        'the register does not know its canary: its pseudonyms were made with other keys than those in keystore.json and of the gateway now. Put back the keystore.json that belongs to this database, or import the register again',
      failed: true,
    });
  }

  /** No answer came at all: the gateway or the connection may be away. */
  wasNotAnswered(register: string, reason: string): void {
    const failed = this.#states.get(register)?.failed ?? false;
    this.#change(register, { ...this.state(register), problem: reason, failed });
  }

  #change(register: string, state: CanaryState & { readonly failed: boolean }): void {
    this.#states.set(register, state);
    for (const look of this.#waiting) look();
  }

  state(register: string): CanaryState {
    const { lastBack, problem } = this.#states.get(register) ?? { lastBack: undefined, problem: undefined };
    return { lastBack, problem };
  }

  /** Why a register may not be answered for, if so. */
  obstacle(register: string): Unavailable | undefined {
    const state = this.#states.get(register);
    if (state?.failed === true) return 'canary-failed';
    if (state?.lastBack === undefined) return 'starting';
    return this.#clock() - state.lastBack > this.#staleAfterMs ? 'canary-failed' : undefined;
  }
}

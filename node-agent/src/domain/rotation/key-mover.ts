import { HitError } from '@hitmachine/protocol';
import type { KeyChangeStore, WantedKeys } from '../../ports/key-change-store.ts';
import type { OperationalLog } from '../../ports/operational-log.ts';
import type { Move, PseudonymMover } from '../../ports/pseudonym-mover.ts';
import type { MadeWith } from '../../ports/pseudonym-store.ts';
import type { AgencyKeys } from '../keys.ts';
import { followNodeKey } from './node-key-in-use.ts';

interface MoverDeps {
  readonly keys: AgencyKeys;
  readonly store: KeyChangeStore;
  /** How pseudonyms get from some keys to others. */
  readonly moveFor: (from: MadeWith, to: MadeWith) => Promise<Move>;
  /** Calls for the gateway's next evaluation key where it is announced and fits the pinned one. */
  readonly followGateway: () => Promise<void>;
  /** Starts what does the arithmetic; it is closed when the work is done. */
  readonly startMover: () => PseudonymMover;
  /** Takes in the key store again. */
  readonly rereadKeys: () => Promise<void>;
  /** Called when all pseudonyms are those of other keys: the tables are old. */
  readonly changed: () => void;
  /** Whether tables made with the keys in use are answered from, and every canary has come back through them. */
  readonly isSound: () => boolean;
  /** Whether this replica does such work; another one does it while it does not. */
  readonly leads: () => boolean;
  readonly log: OperationalLog;
}

const RETRY_MS = 60_000;
/** How often it is looked whether what is left of former keys may go. */
const LOOK_MS = 5_000;

/**
 * Carries out a change of keys that was called for: makes all pseudonyms anew beside those in use, has them take their
 * place in one step, and removes the former ones when the canaries have come back under the new keys. Goes on by itself
 * after a restart or a failure; lookups and imports go on meanwhile.
 */
export class KeyMover {
  readonly #deps: MoverDeps;
  #running: Promise<void> | undefined;
  #again = false;
  #timer: NodeJS.Timeout | undefined;
  #stopped = false;

  constructor(deps: MoverDeps) {
    this.#deps = deps;
  }

  /** Looks whether there is something to do. */
  wake(): void {
    if (this.#stopped) return;
    if (this.#running !== undefined) {
      this.#again = true;
      return;
    }
    clearTimeout(this.#timer);
    this.#running = this.#run().finally(() => {
      this.#running = undefined;
      if (this.#again) {
        this.#again = false;
        this.wake();
      }
    });
  }

  /** Ends what runs, soon; the next start goes on where it was. */
  async stop(): Promise<void> {
    this.#stopped = true;
    clearTimeout(this.#timer);
    await this.settled();
  }

  /** Resolves when nothing runs. */
  async settled(): Promise<void> {
    await this.#running;
  }

  async #run(): Promise<void> {
    const { keys, store, rereadKeys, followGateway, log, leads } = this.#deps;
    if (!leads()) return;
    try {
      await followNodeKey(keys, store, rereadKeys);
      await followGateway();
      const wanted = await store.wanted();
      if (wanted !== undefined) await this.#move(wanted);
      if (!(await this.#removeFormer())) this.#lookAgain(LOOK_MS);
    } catch (error) {
      if (this.#stopped) return;
      const code = error instanceof HitError ? error.code : 'internal';
      log.error({ event: 'key-change-failed', code, reason: (error as Error).message });
      this.#lookAgain(RETRY_MS);
    }
  }

  #lookAgain(afterMs: number): void {
    if (!this.#stopped) this.#timer = setTimeout(() => this.wake(), afterMs);
  }

  async #move(wanted: WantedKeys): Promise<void> {
    const { keys, store, rereadKeys, startMover, changed, log } = this.#deps;
    const started = performance.now();
    if (keys.nodeKeyOf(wanted.nodeKey) === undefined) await rereadKeys();
    const { from = '', to = '' } = wanted.evaluation ?? {};
    const move = await this.#deps.moveFor(
      { nodeKey: keys.nodeKeyMark, evaluationKey: from },
      { nodeKey: wanted.nodeKey, evaluationKey: to },
    );
    const mover = startMover();
    const make = (page: Parameters<PseudonymMover['move']>[1]) => {
      if (this.#stopped) throw new HitError('not-ready', 'the agent is stopping');
      return mover.move(move, page);
    };
    try {
      log.info({ event: 'node-key-moving', ...(await store.progress()) });
      // Imports change registers meanwhile: what they changed is made anew in the next round.
      while (!(await store.switchTo(wanted, await store.bringUp(wanted, make, mover.atOnce), make)))
        if ((await store.wanted()) === undefined) break;
    } catch (error) {
      // Another replica of this agent was faster.
      if ((await store.wanted()) !== undefined) throw error;
    } finally {
      await mover.close();
    }
    await followNodeKey(keys, store, rereadKeys);
    log.warn({ event: 'node-key-moved', milliseconds: Math.round(performance.now() - started) });
    changed();
  }

  /** Whether nothing is left of former keys. They are what a mistake could be mended with, until the canaries are back. */
  async #removeFormer(): Promise<boolean> {
    const { store, isSound, log } = this.#deps;
    if (await store.isSettled()) return true;
    do {
      // Each time: other tables may be answered from meanwhile, whose canaries are not back.
      if (!isSound()) return false;
      if (this.#stopped) return true;
    } while (await store.removeFormer());
    log.info({ event: 'former-keys-done' });
    return true;
  }
}

import type { Backend } from '@hitmachine/protocol';
import { HitError } from '@hitmachine/protocol';
import type { KeyChangeStore, WantedKeys } from '../ports/key-change-store.ts';
import type { OperationalLog } from '../ports/operational-log.ts';
import type { Move, PseudonymMover } from '../ports/pseudonym-mover.ts';
import type { AgencyKeys, NodeKey } from './keys.ts';
import { UNKNOWN_NODE_KEY, followNodeKey } from './node-key-in-use.ts';

interface MoverDeps {
  readonly backend: Backend;
  readonly keys: AgencyKeys;
  readonly store: KeyChangeStore;
  /** Starts what does the arithmetic; it is closed when the work is done. */
  readonly startMover: () => PseudonymMover;
  /** Takes in the key store again. */
  readonly rereadKeys: () => Promise<void>;
  /** Called when all pseudonyms are those of other keys: the tables are old. */
  readonly changed: () => void;
  /** Whether tables made with this node key are answered from, and every canary has come back through them. */
  readonly isSound: (nodeKey: string) => boolean;
  /** Whether this replica does such work; another one does it while it does not. */
  readonly leads: () => boolean;
  readonly log: OperationalLog;
}

const RETRY_MS = 60_000;
/** How often it is looked whether what is left of former keys may go. */
const LOOK_MS = 5_000;

/** What M is multiplied with, and the masks, to get from one node key to another. */
export function moveBetween({ group }: Backend, from: NodeKey, to: NodeKey): Move {
  const factor = group.multiplyScalars(to.nodeKey.reveal(), group.invertScalar(from.nodeKey.reveal()));
  return { factor, maskKeys: { from: from.maskKey.reveal(), to: to.maskKey.reveal() } };
}

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
    const { store, log, leads } = this.#deps;
    if (!leads()) return;
    try {
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
    const { keys, store, rereadKeys, startMover, changed, log, backend } = this.#deps;
    const started = performance.now();
    await followNodeKey(keys, store, rereadKeys);
    if (keys.nodeKeyOf(wanted.nodeKey) === undefined) await rereadKeys();
    const [from, to] = [keys.nodeKeyOf(keys.nodeKeyMark), keys.nodeKeyOf(wanted.nodeKey)];
    if (from === undefined || to === undefined) throw new HitError('key-changed', UNKNOWN_NODE_KEY);
    const move = moveBetween(backend, from, to);
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
    const { keys, store, isSound, log } = this.#deps;
    if (await store.isSettled()) return true;
    if (!isSound(keys.nodeKeyMark)) return false;
    while (await store.removeFormer()) if (this.#stopped) return true;
    log.info({ event: 'former-keys-done' });
    return true;
  }
}

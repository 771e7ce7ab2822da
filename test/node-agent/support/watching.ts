import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { DatabaseSync } from 'node:sqlite';
import { Secret, witnessName } from '@hitmachine/protocol';
import { sqlStateStore } from '../../../node-agent/src/adapters/sql/state-store.ts';
import { SqliteAgentDatabase } from '../../../node-agent/src/adapters/sqlite/agent-database.ts';
import { openDatabase } from '../../../node-agent/src/adapters/sqlite/database.ts';
import type { AgencyKeys } from '../../../node-agent/src/domain/keys.ts';
import { LogView } from '../../../node-agent/src/domain/own-log/log-view.ts';
import type { RosterKeeper } from '../../../node-agent/src/domain/membership/roster-keeper.ts';
import { Witness } from '../../../node-agent/src/domain/own-log/witness.ts';
import { openLogStores } from '../../../node-agent/src/open-log-watch.ts';
import type { LogStore } from '../../../node-agent/src/ports/log-store.ts';
import { secureRandom } from '../../../node-agent/src/random.ts';
import { SmallLog } from '../../support/small-log.ts';
import { T0, backend } from './gateway.ts';
import { keepingLog } from './node.ts';

/** A log of some entries about nothing in particular. */
export function logOf(entries: number, seed: Uint8Array = secureRandom(32)): SmallLog {
  const log = new SmallLog(backend, seed, 'waalstad');
  grow(log, entries);
  return log;
}

/** `what` makes the entries of one fork other than those of another. */
export function grow(log: SmallLog, entries: number, what = 'a'): void {
  for (let i = 0; i < entries; i++)
    log.append({ at: T0, event: 'agency-invited', agency: `${what}${log.size}`, again: false });
}

/** What an agent has to watch a log with, on a real database; the gateway is the log that it is given to look at. */
export class Watching {
  readonly folder = mkdtempSync(join(tmpdir(), 'hitmachine-watching-'));
  readonly log = keepingLog();
  readonly identitySeed = secureRandom(32);
  readonly logKey: Uint8Array;
  now = T0;
  /** The log that the gateway shows. */
  shown: SmallLog;
  /** Awaited before the gateway shows a proof; may throw. */
  beforeShowing: () => Promise<void> = async () => undefined;
  /** May put another proof in the place of the one that is shown. */
  changeProof: (proof: Uint8Array[], old: number, size: number) => readonly Uint8Array[] = (proof) => proof;
  proofs = 0;
  database!: DatabaseSync;
  store!: LogStore;
  view!: LogView;
  witness!: Witness;

  private constructor(shown: SmallLog) {
    this.shown = shown;
    this.logKey = shown.publicKey;
  }

  static async start(shown: SmallLog): Promise<Watching> {
    const watching = new Watching(shown);
    await watching.restart();
    return watching;
  }

  get name(): string {
    return witnessName('waalstad', 'politie');
  }

  /** What a new process finds. */
  async restart(): Promise<void> {
    if (this.database?.isOpen) this.database.close();
    this.database = openDatabase(join(this.folder, 'agent.sqlite'));
    const keys = {
      logKey: new Secret(new Uint8Array(32).fill(7)),
      identitySeed: new Secret(this.identitySeed),
    } as unknown as AgencyKeys;
    const clock = () => this.now;
    const logKey = () => ({ origin: this.shown.origin, publicKey: this.logKey });
    const { log } = this;
    this.store = openLogStores(new SqliteAgentDatabase(this.database), backend, keys).store;
    const gateway = {
      checkpoint: async () => this.shown.checkpoint,
      consistency: async (old: number, size: number) => {
        this.proofs++;
        await this.beforeShowing();
        return this.changeProof(await this.shown.consistency(old, size), old, size);
      },
    };
    this.view = await LogView.open({ backend, store: this.store, gateway, logKey, clock, log });
    const roster = { roster: { federation: 'waalstad' } } as unknown as RosterKeeper;
    const { store, view, state } = this;
    const own = { backend, keys, agency: 'politie', roster };
    this.witness = new Witness({ ...own, logKey, view, store, state, clock, log });
  }

  get state() {
    return sqlStateStore(new SqliteAgentDatabase(this.database));
  }

  /** A checkpoint comes by; resolves when it was compared, as far as that goes. */
  async sees(note: string, from = 'answer'): Promise<void> {
    await this.view.seenCheckpoint(note, from);
    await this.view.checkPending();
  }

  /** Time goes by, with the round that an agent makes every minute. */
  async minutes(count: number): Promise<void> {
    for (let i = 0; i < count; i++) {
      this.now += 60_000;
      await this.view.checkPending();
    }
  }

  /** The gateway asks for a cosignature. */
  async asked(body: Uint8Array): Promise<{ status: number; text: string }> {
    const { status, body: answer } = await this.witness.addCheckpoint(body);
    return { status, text: new TextDecoder().decode(answer) };
  }

  /** Open alarms as words. */
  async alarms(): Promise<string[]> {
    return (await this.store.alarms(true)).map(({ kind }) => kind);
  }

  async close(): Promise<void> {
    await this.view.close();
    if (this.database.isOpen) this.database.close();
    rmSync(this.folder, { recursive: true });
  }
}

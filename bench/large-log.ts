import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import {
  addSignatures,
  cosign,
  logOrigin,
  parseNote,
  signCheckpoint,
  treeHeadAt,
  witnessName,
} from '@hitmachine/protocol';
import { SqliteAuditLog } from '../gateway/src/adapters/sqlite/audit-log.ts';
import { openDatabase } from '../gateway/src/adapters/sqlite/database.ts';
import { exportLog } from '../gateway/src/cli/audit-export.ts';
import { openStore } from '../gateway/src/cli/gateway-store.ts';
import { FEDERATION, RealLog } from '../test/audit/real-log.ts';
import { backend } from '../test/gateway/support/fixtures.ts';
import type { Signed, SigningData, SigningJob } from './signing-worker.ts';

/** Agencies that take part; each asks the two others. */
const AGENCIES = ['wijkteam', 'politie', 'ggz'] as const;
const ENTRIES_PER_LOOKUP = AGENCIES.length;
/** Lookups that a worker signs at a time, and appends that wait together. */
const BATCH = 500;
const WORKERS = 2;
/** A lookup every ten seconds. */
const STEP_MS = 10_000;

/** A log of a size, in a gateway's folder: begun by a real gateway, and filled through its own adapter. */
export class LargeLog {
  readonly size: number;
  readonly #log: RealLog;

  private constructor(log: RealLog, size: number) {
    this.#log = log;
    this.size = size;
  }

  static async make(size: number, tell: (line: string) => void): Promise<LargeLog> {
    const log = await RealLog.make(1);
    const database = openDatabase(join(log.gatewayFolder, 'gateway.sqlite'), { durable: false });
    const auditLog = new SqliteAuditLog(database);
    try {
      const { version } = await rosterVersion(log);
      const begun = (await auditLog.head()).size;
      const lookups = Math.ceil((size - begun) / ENTRIES_PER_LOOKUP);
      const data: SigningData = {
        agencies: AGENCIES.map((id) => ({ id, seed: log.party(id).agency.seed })),
        rosterVersion: version,
        from: log.now() + STEP_MS,
        stepMs: STEP_MS,
      };
      let told = 0;
      for await (const batch of signedLookups(lookups, data)) {
        const { size: now } = await auditLog.head();
        const wanted = batch.slice(0, size - now);
        await Promise.all(wanted.map(({ at, event }) => auditLog.append(at, event)));
        if (now - told >= size / 5) {
          told = now;
          tell(`  ${now.toLocaleString('en')} entries written`);
        }
      }
    } finally {
      database.close();
    }
    return new LargeLog(log, size);
  }

  get publicKey(): Uint8Array {
    return this.#log.publicKey;
  }

  get database(): string {
    return join(this.#log.gatewayFolder, 'gateway.sqlite');
  }

  /** Exports the log under a checkpoint that the agencies cosigned; gives the folder. */
  async export(): Promise<string> {
    const store = openStore(this.database);
    try {
      const head = await treeHeadAt(store.auditLog.hashes, this.size);
      const signed = signCheckpoint(backend, this.#log.identitySeed, logOrigin(FEDERATION), head);
      const [leaf] = await store.auditLog.leaves(this.size - 1, 1);
      const { at } = JSON.parse(new TextDecoder().decode(leaf)) as { at: number };
      const lines = AGENCIES.map((id) =>
        cosign(
          backend,
          this.#log.party(id).agency.seed,
          witnessName(FEDERATION, id),
          parseNote(signed),
          Math.ceil(at / 1000),
        ),
      );
      const out = join(this.#log.folder, 'export');
      await exportLog(
        {
          ...store,
          federation: FEDERATION,
          checkpoint: { head, note: addSignatures(signed, lines) },
          now: at,
        },
        out,
      );
      return out;
    } finally {
      await store.close();
    }
  }

  remove(): void {
    this.#log.remove();
  }
}

async function rosterVersion(log: RealLog): Promise<{ readonly version: number }> {
  const store = openStore(join(log.gatewayFolder, 'gateway.sqlite'));
  try {
    return { version: (await store.directory.latestRoster())?.version ?? 0 };
  } finally {
    await store.close();
  }
}

/** A thread that signs; it answers in the order in which it is asked. */
class Signer {
  readonly #worker: Worker;
  readonly #asked: ((signed: readonly Signed[]) => void)[] = [];

  constructor(data: SigningData) {
    this.#worker = new Worker(new URL('./signing-worker.ts', import.meta.url), { workerData: data });
    this.#worker.on('message', (signed: readonly Signed[]) => this.#asked.shift()?.(signed));
  }

  sign(job: SigningJob): Promise<readonly Signed[]> {
    this.#worker.postMessage(job);
    return new Promise((resolve) => {
      this.#asked.push(resolve);
    });
  }

  async close(): Promise<void> {
    await this.#worker.terminate();
  }
}

/** Batches of entries in the order of their times, signed by worker threads a little ahead. */
async function* signedLookups(lookups: number, data: SigningData): AsyncGenerator<readonly Signed[]> {
  const signers = Array.from({ length: WORKERS }, () => new Signer(data));
  const batches: Promise<readonly Signed[]>[] = [];
  try {
    for (let first = 0; first < lookups || batches.length > 0;) {
      while (first < lookups && batches.length <= WORKERS) {
        const signer = signers[(first / BATCH) % WORKERS] as Signer;
        batches.push(signer.sign({ first, count: Math.min(BATCH, lookups - first) }));
        first += BATCH;
      }
      yield (await batches.shift()) ?? [];
    }
  } finally {
    await Promise.all(signers.map((signer) => signer.close()));
  }
}

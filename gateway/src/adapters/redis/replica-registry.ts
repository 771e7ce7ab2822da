import { HitError, replicaRecordCodec } from '@hitmachine/protocol';
import type { ReplicaRecord, ReplicaRegistry } from '../../ports/replica-registry.ts';
import type { StoreSeal } from '../../replica-secrets.ts';
import type { RedisStore } from './open.ts';
import { MEET } from './scripts.ts';
import { storing } from './storing.ts';

/** Milliseconds after which the whole registry goes when nobody has told anything. */
const KEPT_MS = 60_000;
const MISSING = 'the replicas of this gateway cannot be looked up';

interface Scripts {
  meetReplicasBuffer(key: string, field: string, sealed: Buffer, keptMs: number): Promise<Buffer[]>;
  hdel(key: string, ...fields: string[]): Promise<number>;
}

/** Replicas in Redis: one hash, with a sealed record of each. Its size tells about how many agencies are connected. */
export class RedisReplicaRegistry implements ReplicaRegistry {
  readonly #redis: Scripts;
  readonly #key: string;
  readonly #seal: StoreSeal;

  constructor(redis: RedisStore, federation: string, seal: StoreSeal) {
    redis.defineCommand('meetReplicas', { lua: MEET, numberOfKeys: 1 });
    this.#redis = redis as unknown as Scripts;
    this.#key = `hit:${federation}:replicas:{${seal.name('replicas', federation)}}`;
    this.#seal = seal;
  }

  async meet(self: ReplicaRecord): Promise<readonly ReplicaRecord[]> {
    const sealed = this.#seal.seal(this.#place(self.id), replicaRecordCodec.encode(self));
    const said = await storing(MISSING, () =>
      this.#redis.meetReplicasBuffer(this.#key, self.id, sealed, KEPT_MS),
    );
    const records: ReplicaRecord[] = [];
    for (let i = 0; i + 1 < said.length; i += 2) {
      const record = this.#opened(String(said[i]), said[i + 1] as Buffer);
      if (record !== undefined) records.push(record);
    }
    return records;
  }

  async forget(ids: readonly string[]): Promise<void> {
    if (ids.length > 0) await storing(MISSING, () => this.#redis.hdel(this.#key, ...ids));
  }

  /** A record that no replica wrote is as good as none, and must not keep the others from being found. */
  #opened(id: string, sealed: Buffer): ReplicaRecord | undefined {
    try {
      const record = replicaRecordCodec.decode(this.#seal.open(this.#place(id), sealed));
      return record.id === id ? record : undefined;
    } catch (error) {
      if (error instanceof HitError) return undefined;
      throw error;
    }
  }

  #place(id: string): string {
    return `${this.#key} ${id}`;
  }
}

import type { ReplicaRecord, ReplicaRegistry } from '../../ports/replica-registry.ts';

/** Replicas within one process: the one that an embedded gateway is, or several in a test. */
export class MemoryReplicaRegistry implements ReplicaRegistry {
  readonly #records = new Map<string, ReplicaRecord>();

  async meet(self: ReplicaRecord): Promise<readonly ReplicaRecord[]> {
    this.#records.set(self.id, self);
    return [...this.#records.values()];
  }

  async forget(ids: readonly string[]): Promise<void> {
    for (const id of ids) this.#records.delete(id);
  }
}

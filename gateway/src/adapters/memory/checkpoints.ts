import type { Checkpoints, PublishedCheckpoint, WitnessState } from '../../ports/checkpoints.ts';

/** The published checkpoints in memory, for tests and try-outs. */
export class MemoryCheckpoints implements Checkpoints {
  readonly #checkpoints = new Map<number, PublishedCheckpoint>();
  readonly #witnesses = new Map<string, WitnessState>();

  async save(checkpoint: PublishedCheckpoint): Promise<void> {
    this.#checkpoints.set(checkpoint.size, checkpoint);
  }

  async latest(): Promise<PublishedCheckpoint | undefined> {
    return this.#checkpoints.get(Math.max(...this.#checkpoints.keys()));
  }

  async noteWitness(state: WitnessState): Promise<void> {
    this.#witnesses.set(state.witness, state);
  }

  async witnesses(): Promise<readonly WitnessState[]> {
    return [...this.#witnesses.values()].sort((a, b) => (a.witness < b.witness ? -1 : 1));
  }
}

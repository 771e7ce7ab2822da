import type { AgencyLog } from '../node-agent/src/ports/agency-log.ts';
import type { OpenedLookup } from './answering-node.ts';
import { AnsweringNode } from './answering-node.ts';
import type { RegisterKind } from './large-register.ts';
import type { Subject } from './rounds.ts';

/** Lookups that are asked in turn, so that no answer is like the one before. */
const LOOKUPS = 16;

/** What is asked of which register. */
export interface Case {
  readonly name: string;
  readonly kind: RegisterKind;
  readonly persons: number;
}

/** Questions of one kind, asked without end. */
export class Asking {
  readonly node: AnsweringNode;
  readonly lookups: readonly OpenedLookup[];
  readonly name: string;
  readonly persons: number;
  questionBytes = 0;
  answerBytes = 0;
  #frames: Uint8Array[] = [];

  private constructor(node: AnsweringNode, { name, persons }: Case, lookups: readonly OpenedLookup[]) {
    this.node = node;
    this.name = name;
    this.persons = persons;
    this.lookups = lookups;
  }

  /** Opens the lookups, at a node that is there already or at a new one, and sees to it that answers are right. */
  static async make(one: Case, node?: AnsweringNode): Promise<Asking> {
    const there = node ?? (await AnsweringNode.make(one.kind));
    const lookups = [];
    for (let i = 0; i < LOOKUPS; i++) lookups.push(await there.open(one.persons));
    const asking = new Asking(there, one, lookups);
    await asking.#check();
    return asking;
  }

  get multiplications(): number {
    return this.persons * this.node.kind.held.length;
  }

  /** Asks about a client and about a stranger, and looks at what comes out: wrong answers are not measured. */
  async #check(): Promise<void> {
    const committed = this.node.committed();
    for (const [known, status] of [
      [true, 'known'],
      [false, 'not-known'],
    ] as const) {
      const opened = await this.node.open(this.persons, known);
      const { frame, counter } = this.node.frame(opened);
      const reply = await this.node.answer(frame, this.log);
      const [register] = this.node.read(opened, counter, reply, committed);
      const first = register !== undefined && 'persons' in register ? register.persons[0] : undefined;
      if (first?.status !== status) throw new Error(`${this.name}: a wrong answer`);
      this.questionBytes = frame.length;
      this.answerBytes = reply.length;
    }
  }

  /** A log that is always ready: what the real one takes is measured apart. */
  get log(): AgencyLog {
    return { ...this.node.node.agencyLog, appendAnswered: () => 'logged' };
  }

  /** A new question about one of the lookups. */
  frame(i: number): Uint8Array {
    return this.node.frame(this.lookups[i % this.lookups.length] as OpenedLookup).frame;
  }

  get subject(): Subject {
    const { log } = this;
    return {
      name: this.name,
      prepare: (times) => {
        this.#frames = Array.from({ length: times }, (_, i) => this.frame(i));
      },
      run: async () => {
        for (const frame of this.#frames) await this.node.answer(frame, log);
      },
    };
  }
}

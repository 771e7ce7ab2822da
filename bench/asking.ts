import { agentFrameCodec, gatewayFrameCodec } from '@hitmachine/protocol';
import type { AgencyLog } from '../node-agent/src/ports/agency-log.ts';
import type { Delivery } from '../node-agent/src/ports/gateway-connection.ts';
import type { OpenedLookup } from './answering-node.ts';
import { AnsweringNode } from './answering-node.ts';
import type { RegisterKind } from './large-register.ts';
import type { Subject } from './rounds.ts';
import { repeated } from './rounds.ts';

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
      const delivery = this.node.delivery(opened);
      const reply = await this.node.answer(delivery, this.log);
      const [register] = this.node.read(opened, delivery.question.counter, reply, committed);
      const first = register !== undefined && 'persons' in register ? register.persons[0] : undefined;
      if (first?.status !== status) throw new Error(`${this.name}: a wrong answer`);
      this.questionBytes = gatewayFrameCodec.encode(delivery).length;
      this.answerBytes = agentFrameCodec.encode(reply).length;
    }
  }

  /** A log that is always ready: what the real one takes is measured apart. */
  get log(): AgencyLog {
    return { ...this.node.node.agencyLog, appendAnswered: async () => 'logged' };
  }

  /** One of the lookups, in turn. */
  opened(i: number): OpenedLookup {
    return this.lookups[i % this.lookups.length] as OpenedLookup;
  }

  /** The answer to a question. */
  get subject(): Subject {
    const { log } = this;
    let deliveries: Delivery[] = [];
    return {
      name: this.name,
      prepare: (times) => {
        deliveries = Array.from({ length: times }, (_, i) => this.node.delivery(this.opened(i)));
      },
      run: async () => {
        for (const delivery of deliveries) await this.node.answer(delivery, log);
      },
    };
  }

  /** What the connection adds: the question out of its frame, the answer into one. */
  async frames(): Promise<Subject> {
    const frame = this.node.frame(this.opened(0));
    const reply = await this.node.answer(this.node.delivery(this.opened(0)), this.log);
    return repeated(`${this.name}: frames`, () => [
      gatewayFrameCodec.decode(frame),
      agentFrameCodec.encode(reply),
    ]);
  }
}

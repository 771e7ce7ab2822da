import type { AgencyLog, AnsweredDetail } from '../node-agent/src/ports/agency-log.ts';
import { secureRandom } from '../node-agent/src/random.ts';
import type { AnsweringNode } from './answering-node.ts';
import type { Case } from './asking.ts';
import { Asking } from './asking.ts';
import { asShipped, oneType } from './large-register.ts';
import { bareMultiplication } from './matching-multiplications.ts';
import type { Effort } from './rounds.ts';
import { measureInTurns, perSecond, ratioOf } from './rounds.ts';
import type { Spread } from './statistics.ts';
import { spreadOf } from './statistics.ts';

/** Persons of a household. */
const HOUSEHOLD = 5;

/** What it costs to answer one message. */
export interface AnswerFigures {
  readonly name: string;
  readonly persons: number;
  /** Multiplications in one answer. */
  readonly multiplications: number;
  readonly questionBytes: number;
  readonly answerBytes: number;
  readonly perSecond: Spread;
  /** Answers for every bare multiplication (for every one that an answer needs). */
  readonly vsMultiplications: Spread;
  /** Microseconds that the connection takes beside that, to decode the one frame and encode the other. */
  readonly frames: Spread;
}

export interface NodeFigures {
  readonly answers: readonly AnswerFigures[];
  readonly nodeAnswerVsMultiplication: Spread;
  readonly nodeHouseholdAnswerVsMultiplication: Spread;
  readonly answerCost1MVs10k: Spread;
  readonly log: LogAppend;
}

/** The entry in the agency's own log that stands before an answer leaves. */
export interface LogAppend {
  /** Microseconds of the processor. */
  readonly cost: Spread;
  /** Microseconds until it is on stable storage. */
  readonly wait: Spread;
}

/** What is asked; the sizes are those that the figures are named for, or small ones to try the benchmark itself. */
const casesAt = (small: number, large: number) => {
  const at = (clients: number): string => `${clients.toLocaleString('en')} clients`;
  return {
    one: { name: `one person, one token type, ${at(small)}`, kind: oneType(small), persons: 1 },
    household: {
      name: `household of five, one token type, ${at(small)}`,
      kind: oneType(small),
      persons: HOUSEHOLD,
    },
    oneLarge: { name: `one person, one token type, ${at(large)}`, kind: oneType(large), persons: 1 },
    shipped: { name: `one person, as shipped, ${at(small)}`, kind: asShipped(small), persons: 1 },
    shippedHousehold: {
      name: `household of five, as shipped, ${at(small)}`,
      kind: asShipped(small),
      persons: HOUSEHOLD,
    },
    shippedLarge: { name: `one person, as shipped, ${at(large)}`, kind: asShipped(large), persons: 1 },
  } as const satisfies Record<string, Case>;
};

/** Measures answers of nodes with `small` and with `large` registers beside bare multiplications. */
export async function measureAnswers(
  effort: Effort,
  sizes: { readonly small: number; readonly large: number },
): Promise<NodeFigures> {
  const cases = casesAt(sizes.small, sizes.large);
  const nodes = new Map<string, AnsweringNode>();
  try {
    const askings: Asking[] = [];
    for (const one of Object.values(cases)) {
      const key = JSON.stringify(one.kind);
      const asking = await Asking.make(one, nodes.get(key));
      nodes.set(key, asking.node);
      askings.push(asking);
    }
    const bare = bareMultiplication();
    const frames = await Promise.all(askings.map((asking) => asking.frames()));
    const costs = await measureInTurns([bare, ...askings.map(({ subject }) => subject), ...frames], effort);
    const versus = ({ name, multiplications }: Asking): Spread =>
      ratioOf(costs(bare.name), costs(name), multiplications);
    const named = ({ name }: Case): Spread =>
      versus(askings.find((asking) => asking.name === name) as Asking);
    return {
      answers: askings.map((asking) => ({
        name: asking.name,
        persons: asking.persons,
        multiplications: asking.multiplications,
        questionBytes: asking.questionBytes,
        answerBytes: asking.answerBytes,
        perSecond: perSecond(costs(asking.name)),
        vsMultiplications: versus(asking),
        frames: spreadOf(costs(`${asking.name}: frames`)),
      })),
      nodeAnswerVsMultiplication: named(cases.one),
      nodeHouseholdAnswerVsMultiplication: named(cases.household),
      answerCost1MVs10k: ratioOf(costs(cases.oneLarge.name), costs(cases.one.name)),
      log: await measureLog(askings[0] as Asking, effort),
    };
  } finally {
    for (const node of nodes.values()) await node.close();
  }
}

/** What the real log of the agent takes beside that, on the disk of the temporary folder. */
async function measureLog(asking: Asking, { rounds, milliseconds }: Effort): Promise<LogAppend> {
  const { agencyLog } = asking.node.node;
  let detail: AnsweredDetail | undefined;
  const listening: AgencyLog = {
    ...agencyLog,
    async appendAnswered(_, told) {
      detail = told;
      return 'logged';
    },
  };
  await asking.node.answer(asking.node.delivery(asking.opened(0)), listening);
  const [cost, wait]: [number[], number[]] = [[], []];
  for (let round = 0; round < rounds; round++) {
    const [cpu, since] = [process.cpuUsage(), performance.now()];
    let times = 0;
    for (; performance.now() - since < milliseconds; times++)
      await agencyLog.appendAnswered(
        secureRandom(16),
        detail as AnsweredDetail,
        { limit: 1e9, total: 1e9 },
        Date.now(),
      );
    wait.push((1_000 * (performance.now() - since)) / times);
    const { user, system } = process.cpuUsage(cpu);
    cost.push((user + system) / times);
  }
  return { cost: spreadOf(cost), wait: spreadOf(wait) };
}

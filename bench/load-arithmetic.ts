import { TOKEN_TYPES } from './load-federation.ts';
import { MEAN_PERSONS } from './load-pool.ts';
import { bareAddition, bareBaseMultiplication, bareMultiplication } from './matching-multiplications.ts';
import { measureInTurns } from './rounds.ts';
import { spreadOf } from './statistics.ts';

/** Microseconds of processor time of each kind of group arithmetic, as bare calls. */
export interface ArithmeticCosts {
  readonly multiplication: number;
  /** Of the group's generator, for which there is a table. */
  readonly base: number;
  readonly addition: number;
}

/** What they cost at this moment. */
export async function arithmeticCosts(milliseconds: number): Promise<ArithmeticCosts> {
  const subjects = [bareMultiplication(), bareBaseMultiplication(), bareAddition()] as const;
  const costs = await measureInTurns(subjects, { rounds: 3, milliseconds });
  const [multiplication, base, addition] = subjects.map(({ name }) => spreadOf(costs(name)).median);
  return { multiplication, base, addition } as ArithmeticCosts;
}

/**
 * Microseconds of group arithmetic in a lookup, in the mean. At the gateway each element is multiplied twice, for the
 * evaluation and for its share in the proof; these shares are added up, and the proof takes two multiplications more and
 * one of the generator. At each node there is one for every person and token type that it holds.
 */
export function arithmeticOf(
  { multiplication, base, addition }: ArithmeticCosts,
  tokenTypes: number,
  nodes: number,
): number {
  const elements = MEAN_PERSONS * tokenTypes;
  const gateway = (2 * elements + 2) * multiplication + base + (elements - 1) * addition;
  return gateway + nodes * MEAN_PERSONS * TOKEN_TYPES.length * multiplication;
}

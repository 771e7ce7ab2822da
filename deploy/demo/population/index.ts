import { makeHouseholds } from './residents.ts';
import { FULL_SIZE, makeAgencies } from './registers.ts';
import type { Population } from './model.ts';
import { makePrng } from './prng.ts';

export { toCsv } from './csv.ts';
export { readableDate } from './dates.ts';
export { PILOT, earlySignals } from './early-signals.ts';
export type { EarlySignals } from './early-signals.ts';
export { expectedRegisters } from './expected.ts';
export type { ExpectedHit } from './expected.ts';
export { TOKEN_TYPES, fullName } from './model.ts';
export type { Agency, Household, Population, Register, Resident, TokenType } from './model.ts';
export { scriptedPersons } from './scripted.ts';
export type { ScriptedPersons } from './scripted.ts';

/**
 * The synthetic city of Waalstad: the same for the same seed (an integer) and number of residents, on every
 * machine. RangeError when there are more residents than test numbers (about 8,180).
 */
export function makePopulation({
  seed,
  residents = FULL_SIZE,
}: {
  readonly seed: number;
  readonly residents?: number;
}): Population {
  const prng = makePrng(seed);
  const households = makeHouseholds(prng.fork('households'), residents);
  return {
    seed,
    residents: households.flatMap(({ members }) => members),
    households,
    agencies: makeAgencies(prng.fork('registers'), households),
  };
}

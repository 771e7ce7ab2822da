import { LIMITS } from '../wire/limits.ts';
import type { Register } from '../wire/agency.ts';
import type { TableCommitment } from '../wire/table-commitment.ts';
import { duration } from './duration.ts';

/** What of a table commitment can be judged by the log alone. */
export interface CommitmentFacts {
  readonly epoch: number;
  readonly tables: readonly { readonly register: string; readonly tokenType: string }[];
  readonly logHead: TableCommitment['logHead'];
}

interface OwnLog {
  readonly sequence: number;
  readonly chain: string;
  /** The entry that says so. */
  readonly index: number;
}

interface Standing {
  epoch: number;
  head: OwnLog | undefined;
  /** Invited and enrolled again since. */
  anew: boolean;
}

/** An entry with a commitment in it. */
export interface CommitmentEntry {
  readonly index: number;
  readonly agency: string;
  /** Milliseconds since 1970. */
  readonly at: number;
}

/** What the commitments of each agency must be to each other: epochs rise, and so does the agency's own log. */
export class CommitmentCheck {
  readonly #standing = new Map<string, Standing>();
  readonly #tell: (notice: { readonly index: number; readonly reason: string }) => void;

  /** `tell` hears what is no fault, and of which an agency should be asked. */
  constructor(tell: (notice: { readonly index: number; readonly reason: string }) => void) {
    this.#tell = tell;
  }

  /** An agency that was invited and enrolled again may have begun with nothing: its own log too. */
  beginsAnew(agency: string): void {
    const standing = this.#standing.get(agency);
    if (standing !== undefined) standing.anew = true;
  }

  /** Takes the next commitment. `registers`: what the agency may have had at that moment, if that is known. */
  add(
    { index, agency, at }: CommitmentEntry,
    { epoch, tables, logHead }: CommitmentFacts,
    registers: readonly (readonly Register[])[] | undefined,
  ): string[] {
    const standing = this.#standing.get(agency) ?? { epoch: 0, head: undefined, anew: false };
    this.#standing.set(agency, standing);
    const reasons: string[] = [];
    if (epoch === standing.epoch) reasons.push(`${agency} has committed to tables for epoch ${epoch} before`);
    else if (epoch < standing.epoch)
      reasons.push(
        `${agency} has committed to tables for epoch ${standing.epoch} before, and epochs only rise: this one is ${epoch}`,
      );
    if (epoch > at + LIMITS.epochAheadMs)
      reasons.push(`its epoch, ${epoch}, lies ${duration(epoch - at)} after the time of the entry`);
    else standing.epoch = Math.max(standing.epoch, epoch);
    if (logHead !== undefined) {
      const reason = goneBack(agency, standing.head, { ...logHead, index });
      if (reason !== undefined && standing.anew)
        this.#tell({ index, reason: `${agency} enrolled again and keeps a new log of its own since` });
      else if (reason !== undefined) reasons.push(reason);
      standing.head = { ...logHead, index };
      standing.anew = false;
    }
    if (registers !== undefined) reasons.push(...notHeld(agency, tables, registers));
    return reasons;
  }
}

/** Why the agency's own log does not go on from where it stood; undefined when it does. */
function goneBack(agency: string, before: OwnLog | undefined, now: OwnLog): string | undefined {
  if (before === undefined || now.sequence > before.sequence) return undefined;
  if (now.sequence < before.sequence)
    return `the own log of ${agency} was set back: it had ${before.sequence} entries at entry ${before.index}, and has ${now.sequence}`;
  if (now.chain === before.chain) return undefined;
  return `the own log of ${agency} was written anew: its first ${now.sequence} entries are others than at entry ${before.index}`;
}

/** Tables that no state of the agency's registers has. */
function notHeld(
  agency: string,
  tables: CommitmentFacts['tables'],
  states: readonly (readonly Register[])[],
): string[] {
  const missing = states.map((registers) =>
    tables.find(
      ({ register, tokenType }) =>
        registers.find(({ id }) => id === register)?.tokenTypes.includes(tokenType) !== true,
    ),
  );
  if (missing.includes(undefined)) return [];
  const [first] = missing;
  return first === undefined
    ? [] // No roster yet.
    : [
        `${agency} commits to a table ${first.register}/${first.tokenType}, which it does not have on the roster`,
      ];
}

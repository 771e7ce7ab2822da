import { HitError } from '@hitmachine/protocol';
import type { ConfiguredRegister } from '../../config.ts';
import type { ClientRow, ClientRows, SourceClient } from '../../ports/client-source.ts';
import { RowSet } from './row-set.ts';
import { dayNumber } from '../days.ts';
import { personTokens } from '../person-tokens.ts';
import { referenceComplaint } from './references.ts';

/** Finds whoever lives somewhere: that housemates are clients tells nothing of a protected one. */
const HOUSEHOLD_TYPE = 'address';

/** Clients of a source who are not imported, for whoever imports and nobody else. */
export interface NotAdmitted {
  ended: number;
  protected: number;
  /** References of the list of protected clients that the source does not have. */
  missing: number;
}

/**
 * Lets through who is to be known from now on. Who is protected, or has ended (`now`: milliseconds since 1970), is left
 * out before anything is counted or computed, so that what comes of an import is the same as if he or she were not in
 * the source. A reference that comes twice makes the later row a bad one. Throws `import-invalid`, with both rows, when
 * one person stands there as protected and as not: by the other row he or she would match.
 */
export async function* admitClients(
  register: Pick<ConfiguredRegister, 'tokenTypes'>,
  rows: ClientRows,
  list: ReadonlySet<string>,
  now: number,
  left: NotAdmitted,
  counts: 'line' | 'row' = 'line',
): AsyncGenerator<ClientRow> {
  const today = dayNumber(now);
  const references = new RowSet();
  const guard = new Guard(register.tokenTypes, now, counts);
  const found = new Set<string>();
  for await (const row of rows) {
    if ('problem' in row) {
      const isListed = row.reference === undefined ? list.size > 0 : list.has(row.reference);
      yield isListed ? { ...row, mayBeProtected: true } : row;
      continue;
    }
    const { line, reference, until } = row;
    const isListed = reference !== undefined && list.has(reference);
    if (isListed) found.add(reference);
    const isProtected = row.isProtected === true || isListed;
    if (row.isProtected !== undefined || list.size > 0) guard.check(row, isProtected);
    const problem =
      reference === undefined ? undefined : referenceProblem(references, reference, line, counts);
    if (isProtected) left.protected++;
    else if (problem !== undefined) yield { line, problem };
    else if (list.size > 0 && reference === undefined)
      yield { line, problem: 'reference: it is needed, because agent.yaml lists protected clients by it' };
    else if (until !== undefined && until < today) left.ended++;
    else yield row;
  }
  left.missing = list.size - found.size;
}

function referenceProblem(seen: RowSet, reference: string, line: number, counts: string): string | undefined {
  const complaint = referenceComplaint(reference);
  if (complaint !== undefined) return `reference: ${complaint}`;
  const before = seen.add(reference, line);
  return before === undefined
    ? undefined
    : `reference: the same as in ${counts} ${before}; each client has one of its own`;
}

/** Sees whether somebody who is protected in one row is not so in another. */
class Guard {
  readonly #tokenTypes: readonly string[];
  readonly #now: number;
  readonly #counts: string;
  readonly #protected = new RowSet();
  readonly #open = new RowSet();

  constructor(tokenTypes: readonly string[], now: number, counts: string) {
    this.#counts = counts;
    this.#tokenTypes = tokenTypes.filter((type) => type !== HOUSEHOLD_TYPE);
    this.#now = now;
  }

  check(row: SourceClient, isProtected: boolean): void {
    for (const name of this.#namesOf(row)) {
      const other = (isProtected ? this.#open : this.#protected).find(name);
      if (other !== undefined)
        throw new HitError(
          'import-invalid',
          `${this.#counts}s ${other} and ${row.line} are of the same person or reference, and only one of them is protected; protect both. Nothing was changed`,
        );
      (isProtected ? this.#protected : this.#open).add(name, row.line);
    }
  }

  /** By what somebody would be found, each by itself, and the reference. */
  #namesOf({ client, reference }: SourceClient): string[] {
    const names = reference === undefined ? [] : [`reference ${reference}`];
    for (const type of this.#tokenTypes) {
      try {
        for (const [name, token] of personTokens(client, [type], this.#now))
          names.push(`${name} ${Buffer.from(token).toString('base64')}`);
      } catch (error) {
        // What is no good for matching finds nobody.
        if (!(error instanceof HitError)) throw error;
      }
    }
    return names;
  }
}

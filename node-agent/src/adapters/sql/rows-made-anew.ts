import { ELEMENT_BYTES } from '@hitmachine/protocol';
import type { PseudonymPage } from '../../ports/pseudonym-store.ts';
import type { Run, Value } from '../database.ts';
import { places } from '../database.ts';

/** A register whose pseudonyms are made anew: those in use have its version, and the new ones the version above it. */
interface Register {
  readonly register: string;
  readonly version: number;
}

/** Rows that are read, made anew and stored at once. */
const ROWS = 1_024;

interface MissingRow {
  readonly token_type: string;
  readonly element: Uint8Array;
  readonly masked_hash: number;
  readonly kept_until: string | null;
}

/** Pseudonyms that are not made anew yet. */
export interface MissingRows {
  readonly rows: readonly MissingRow[];
  readonly page: PseudonymPage;
}

/** Pages of a register that are not made anew yet, in the order of the pseudonyms. */
export async function* missingRows(run: Run, { register, version }: Register): AsyncGenerator<MissingRows> {
  let last: readonly [string, Uint8Array] = ['', new Uint8Array(0)];
  for (;;) {
    const found = await run(
      `SELECT token_type, element, masked_hash, kept_until FROM pseudonyms p
       WHERE register = $1 AND version = $2 AND (token_type, element) > ($3, $4) AND NOT EXISTS (
         SELECT 1 FROM pseudonyms n
         WHERE n.register = p.register AND n.token_type = p.token_type AND n.origin = p.element)
       ORDER BY token_type, element LIMIT ${ROWS}`,
      [register, version, ...last],
    );
    const rows = found.rows as unknown as readonly MissingRow[];
    if (rows.length > 0) yield { rows, page: pack(rows) };
    const { token_type: type, element } = rows.at(-1) ?? {};
    if (rows.length < ROWS || type === undefined || element === undefined) return;
    last = [type, Uint8Array.from(element)];
  }
}

function pack(rows: readonly MissingRow[]): PseudonymPage {
  const elements = new Uint8Array(rows.length * ELEMENT_BYTES);
  rows.forEach(({ element }, i) => elements.set(element, i * ELEMENT_BYTES));
  return { elements, maskedHashes: Uint16Array.from(rows, ({ masked_hash: hash }) => hash) };
}

/** Stores pseudonyms beside those that they were made of. */
export async function addMissing(
  run: Run,
  { register, version }: Register,
  { rows }: MissingRows,
  { elements, maskedHashes }: PseudonymPage,
): Promise<void> {
  await run(
    `INSERT INTO pseudonyms (register, token_type, element, masked_hash, kept_until, version, origin)
     VALUES ${places(rows.length, 7)} ON CONFLICT DO NOTHING`,
    rows.flatMap(({ token_type: type, element, kept_until: until }, i): Value[] => [
      ...[register, type, elements.slice(i * ELEMENT_BYTES, (i + 1) * ELEMENT_BYTES)],
      ...[maskedHashes[i] as number, until, version + 1, Uint8Array.from(element)],
    ]),
  );
}

/**
 * Brings what was made anew before up with what is in use now: what is not there any more goes, and whoever stays longer
 * or shorter does so in both. `write` runs what changes something, in a transaction.
 */
export async function catchUp(
  run: Run,
  write: (work: (run: Run) => Promise<void>) => Promise<void>,
  { register, version }: Register,
): Promise<void> {
  let last: readonly [string, Uint8Array] = ['', new Uint8Array(0)];
  for (;;) {
    const found = await run(
      `SELECT n.token_type, n.element, n.kept_until, o.element AS there, o.kept_until AS ends
       FROM pseudonyms n LEFT JOIN pseudonyms o
         ON o.register = n.register AND o.token_type = n.token_type AND o.element = n.origin
       WHERE n.register = $1 AND n.version = $2 AND (n.token_type, n.element) > ($3, $4)
       ORDER BY n.token_type, n.element LIMIT ${ROWS}`,
      [register, version + 1, ...last],
    );
    const rows = found.rows as unknown as readonly MadeRow[];
    const others = rows.filter((row) => row.there === null || row.ends !== row.kept_until);
    if (others.length > 0) await write((inside) => correct(inside, register, others));
    const { token_type: type, element } = rows.at(-1) ?? {};
    if (rows.length < ROWS || type === undefined || element === undefined) return;
    last = [type, Uint8Array.from(element)];
  }
}

interface MadeRow {
  readonly token_type: string;
  readonly element: Uint8Array;
  readonly kept_until: string | null;
  readonly there: Uint8Array | null;
  readonly ends: string | null;
}

async function correct(run: Run, register: string, rows: readonly MadeRow[]): Promise<void> {
  for (const { token_type: type, element, there, ends } of rows) {
    const place = [register, type, element] as const;
    if (there === null)
      await run('DELETE FROM pseudonyms WHERE register = $1 AND token_type = $2 AND element = $3', place);
    else
      await run(
        'UPDATE pseudonyms SET kept_until = $4 WHERE register = $1 AND token_type = $2 AND element = $3',
        [...place, ends],
      );
  }
}

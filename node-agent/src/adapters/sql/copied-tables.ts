import type { Row, Run, Value } from '../database.ts';
import { places } from '../database.ts';

/** A table of an agent that goes into a backup, as SQLite and PostgreSQL both have it. */
export interface CopiedTable {
  readonly name: string;
  /** Those that order it, first. */
  readonly key: readonly string[];
  readonly others: readonly string[];
}

const table = (name: string, key: readonly string[], ...others: string[]): CopiedTable => ({
  name,
  key,
  others,
});

/** Every table of the agent's database but those of {@link NOT_COPIED}. */
export const COPIED_TABLES: readonly CopiedTable[] = [
  table('state', ['name'], 'value'),
  table('pins', ['name'], 'fingerprint'),
  table(
    'imports',
    ['register'],
    'generation',
    'clients',
    'imported_at',
    'evaluation_key',
    'node_key',
    'version',
  ),
  table(
    'pseudonyms',
    ['register', 'token_type', 'element'],
    'masked_hash',
    'kept_until',
    'version',
    'origin',
  ),
  table('log', ['sequence'], 'at', 'event', 'lookup_key', 'nonce', 'sealed', 'content_hash', 'chain'),
  table('answered_persons', ['day', 'agency'], 'persons'),
  table('outcome_keys', ['lookup_key'], 'key', 'until'),
  table('log_heads', ['name'], 'size', 'root', 'note'),
  table('log_pending', ['size', 'root'], 'note', 'source', 'at'),
  table('log_alarms', ['number'], 'at', 'kind', 'detail', 'sealed', 'resolved_at'),
  table('receipts', ['lookup_id'], 'at', 'state', 'sealed'),
  table('idempotency_keys', ['key'], 'request', 'at'),
];

/**
 * What is made anew: tables to answer from (old ones would be answered from beside those that came after), what an import
 * under way has gathered, the version of the tables themselves, and what replicas of one agent agree on.
 */
export const NOT_COPIED: readonly string[] = [
  ...['epochs', 'tables', 'incoming', 'schema_version', 'leases', 'session_openings', 'pushed_changes'],
];

/** Of what systems have pushed: in a file of its own, or in the database that replicas share. */
export const PUSHED_TABLES: readonly CopiedTable[] = [
  table('pushed', ['register', 'fingerprint'], 'sealed', 'evaluation_key', 'node_key'),
  table('versions', ['register'], 'version'),
  table('replaceable', ['register'], 'before', 'made', 'agreed'),
];

const PAGE_ROWS = 1_000;
/** Of one page, about; a row that is larger is a page by itself. */
const PAGE_BYTES = 4_194_304;

export const columnsOf = ({ key, others }: CopiedTable): readonly string[] => [...key, ...others];

/** All rows of a table, in the order of its key, in pages of about 4 MB at most; `run` reads a snapshot. */
export async function* pagesOf(run: Run, copied: CopiedTable): AsyncGenerator<Value[][]> {
  const columns = columnsOf(copied);
  const key = copied.key.join(', ');
  const page = (behind: readonly Value[] | undefined): ReturnType<Run> =>
    run(
      `SELECT ${columns.join(', ')} FROM ${copied.name}
       ${behind === undefined ? '' : `WHERE (${key}) > (${copied.key.map((_, i) => `$${i + 1}`).join(', ')})`}
       ORDER BY ${key} LIMIT ${PAGE_ROWS}`,
      behind,
    );
  let { rows } = await page(undefined);
  while (rows.length > 0) {
    yield* cutBySize(rows.map((row) => columns.map((column) => row[column] as Value)));
    const last = rows.at(-1) as Row;
    rows =
      rows.length < PAGE_ROWS ? [] : (await page(copied.key.map((column) => last[column] as Value))).rows;
  }
}

function* cutBySize(rows: readonly Value[][]): Generator<Value[][]> {
  let page: Value[][] = [];
  let size = 0;
  for (const row of rows) {
    const more = row.reduce<number>((sum, value) => sum + sizeOf(value), 0);
    if (page.length > 0 && size + more > PAGE_BYTES) {
      yield page;
      [page, size] = [[], 0];
    }
    page.push(row);
    size += more;
  }
  yield page;
}

const sizeOf = (value: Value): number =>
  typeof value === 'string' || value instanceof Uint8Array ? value.length : 8;

/** Puts rows, as {@link pagesOf} gave them, into a table. */
export async function putRows(
  run: Run,
  copied: CopiedTable,
  rows: readonly (readonly Value[])[],
): Promise<void> {
  const columns = columnsOf(copied);
  await run(
    `INSERT INTO ${copied.name} (${columns.join(', ')}) VALUES ${places(rows.length, columns.length)}`,
    rows.flat(),
  );
}

export async function countOf(run: Run, { name }: CopiedTable): Promise<number> {
  return (await run(`SELECT count(*) AS n FROM ${name}`)).rows[0]?.['n'] as number;
}

import type { HashReader, LogEvent, NodeId, TreeHead } from '@hitmachine/protocol';
import { HASH_BYTES, HitError, TreeBuilder, frontierOf, treeHeadAt } from '@hitmachine/protocol';
import type { AppendResult, AuditLog } from '../../ports/audit-log.ts';
import type { Charge } from '../../ports/quota.ts';
import { searchTermsOf } from '../../ports/search-terms.ts';
import type { AppendPlan, Counter, LogTip } from '../append-plan.ts';
import { firstExceeded, lastLeafOf, planAppends } from '../append-plan.ts';
import type { Append, AppendOutcome } from '../group-commit.ts';
import { GroupCommit } from '../group-commit.ts';
import type { PostgresDatabase, Row, Run } from './database.ts';
import { APPEND_LOCK } from './database.ts';

/**
 * The audit log in PostgreSQL. Several gateways may append to it: a lock orders their transactions, and each looks
 * first at where the log stands. One case cannot be told from a failure: a connection that breaks between a commit
 * and the answer to it. Its entries then stand in the log although `append` rejected, as after a crash.
 */
export class PostgresAuditLog implements AuditLog {
  readonly #database: PostgresDatabase;
  readonly #group = new GroupCommit((group) => this.#commit(group));
  /** Where the log stood after our last transaction; unknown at first and after one that failed. */
  #tip: LogTip | undefined;
  #head: TreeHead | undefined;

  constructor(database: PostgresDatabase) {
    this.#database = database;
  }

  append(at: number, event: LogEvent, charges: readonly Charge[] = []): Promise<AppendResult> {
    return this.#group.append(at, event, charges);
  }

  async exceeded(charges: readonly Charge[]): Promise<Charge | undefined> {
    if (charges.length === 0) return undefined;
    const rows = await this.#database.query(
      'SELECT counter, window_end, used FROM quota WHERE counter = ANY ($1)',
      [countersOf(charges)],
    );
    const counters = rows.map(({ counter, window_end, used }): [string, Counter] => [
      String(counter),
      { windowEnd: Number(window_end), used: Number(used) },
    ]);
    return firstExceeded(new Map(counters), charges);
  }

  async head(): Promise<TreeHead> {
    const [row] = await this.#database.query('SELECT idx FROM entry ORDER BY idx DESC LIMIT 1');
    const size = row === undefined ? 0 : Number(row['idx']) + 1;
    const known = this.#head;
    if (known?.size === size) return known;
    return (this.#head = await treeHeadAt(this.hashes, size));
  }

  readonly hashes: HashReader = (nodes) => hashesOf(this.#database.query, nodes);

  async leaves(from: number, count: number): Promise<readonly Uint8Array[]> {
    const rows = await this.#database.query('SELECT leaf FROM entry WHERE idx >= $1 ORDER BY idx LIMIT $2', [
      from,
      count,
    ]);
    return rows.map(({ leaf }) => new Uint8Array(leaf as Buffer));
  }

  async probe(): Promise<void> {
    await this.#database.transaction([], (run) =>
      run('INSERT INTO probe (id, at) VALUES (1, 1) ON CONFLICT (id) DO UPDATE SET at = probe.at + 1'),
    );
  }

  async #commit(group: readonly Append[]): Promise<readonly AppendOutcome[]> {
    const known = this.#tip;
    this.#tip = undefined;
    const [outcomes, tip] = await this.#database.transaction([APPEND_LOCK], async (run) => {
      const { size, at, counters } = await stateOf(run, group);
      const tip =
        known?.tree.size === size
          ? known
          : { tree: new TreeBuilder(size, await hashesOf(run, frontierOf(size))), at };
      const plan = planAppends(tip, counters, group);
      if (plan.entries.length > 0) await run(WRITE, valuesOf(plan));
      return [plan.outcomes, tip] as const;
    });
    this.#tip = tip;
    return outcomes;
  }
}

const countersOf = (charges: readonly Charge[]): string[] => [
  ...new Set(charges.map(({ counter }) => counter)),
];

/** The log's last entry and the counters, in one round trip: what is no counter is the entry. */
const STATE = `(SELECT NULL AS counter, idx AS one, at AS other FROM entry ORDER BY idx DESC LIMIT 1)
  UNION ALL SELECT counter, window_end, used FROM quota WHERE counter = ANY ($1)`;

async function stateOf(
  run: Run,
  group: readonly Append[],
): Promise<{ size: number; at: number; counters: Map<string, Counter> }> {
  const rows = await run(STATE, [countersOf(group.flatMap(({ charges }) => charges))]);
  const counters = new Map<string, Counter>();
  let [size, at] = [0, 0];
  for (const row of rows) {
    const [one, other] = [Number(row['one']), Number(row['other'])];
    const counter = row['counter'] as string | null;
    if (counter === null) [size, at] = [one + 1, other];
    else counters.set(counter, { windowEnd: one, used: other });
  }
  return { size, at, counters };
}

const HASHES = `SELECT substring(hashes FROM start FOR ${HASH_BYTES}) AS hash
  FROM unnest($1::bigint[], $2::integer[]) WITH ORDINALITY AS node (last, start, place)
  LEFT JOIN entry ON idx = last ORDER BY place`;

async function hashesOf(run: Run, nodes: readonly NodeId[]): Promise<readonly Uint8Array[]> {
  if (nodes.length === 0) return [];
  const missing = ({ level, index }: NodeId): HitError =>
    new HitError('not-found', `the log has no subtree ${index} of level ${level}`);
  const last = nodes.map((node) => lastLeafOf(node.level, node.index));
  const beyond = nodes.find((_, i) => !Number.isSafeInteger(last[i]));
  if (beyond !== undefined) throw missing(beyond);
  const rows = await run(HASHES, [last, nodes.map(({ level }) => level * HASH_BYTES + 1)]);
  return nodes.map((node, i) => {
    const hash = rows[i]?.['hash'] as Buffer | null | undefined;
    if (hash?.length !== HASH_BYTES) throw missing(node);
    return new Uint8Array(hash);
  });
}

const COLUMNS = [
  ['idx', 'bigint'],
  ['at', 'bigint'],
  ['event', 'text'],
  ['agency', 'text'],
  ['purpose', 'text'],
  ['professional', 'text'],
  ['case_commitment', 'text'],
  ['lookup_id', 'text'],
  ['node', 'text'],
  ['status', 'text'],
  ['persons', 'bigint'],
  ['milliseconds', 'bigint'],
  ['hashes', 'bytea'],
  ['leaf', 'bytea'],
] as const;
const ARRAYS = COLUMNS.map(([, type], i) => `$${i + 1}::${type}[]`).join(', ');
const [A, B, C] = [1, 2, 3].map((n) => `$${COLUMNS.length + n}`) as [string, string, string];

/** All entries and counters of a transaction in one statement. */
const WRITE = `WITH charged AS (
    INSERT INTO quota (counter, window_end, used) SELECT * FROM unnest(${A}::text[], ${B}::bigint[], ${C}::bigint[])
      ON CONFLICT (counter) DO UPDATE SET window_end = excluded.window_end, used = excluded.used)
  INSERT INTO entry (${COLUMNS.map(([name]) => name).join(', ')}) SELECT * FROM unnest(${ARRAYS})`;

function valuesOf({ entries, counters }: AppendPlan): unknown[] {
  const rows = entries.map(({ index, entry, leaf, hashes }): Row => {
    const terms = searchTermsOf(entry);
    return {
      ...terms,
      idx: index,
      at: entry.at,
      event: entry.event,
      case_commitment: terms.caseCommitment,
      lookup_id: terms.lookupId,
      hashes: Buffer.from(hashes),
      leaf: Buffer.from(leaf),
    };
  });
  return [
    ...COLUMNS.map(([name]) => rows.map((row) => row[name] ?? null)),
    [...counters.keys()],
    [...counters.values()].map(({ windowEnd }) => windowEnd),
    [...counters.values()].map(({ used }) => used),
  ];
}

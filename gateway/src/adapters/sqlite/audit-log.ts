import type { DatabaseSync, StatementSync } from 'node:sqlite';
import type { HashReader, LogEvent, NodeId, TreeHead } from '@hitmachine/protocol';
import { HASH_BYTES, HitError, TreeBuilder, frontierOf, treeHeadAt } from '@hitmachine/protocol';
import type { AppendResult, AuditLog } from '../../ports/audit-log.ts';
import type { Charge } from '../../ports/quota.ts';
import { searchTermsOf } from '../../ports/search-terms.ts';
import type { Counter, LogTip, NewEntry } from '../append-plan.ts';
import { firstExceeded, lastLeafOf, planAppends } from '../append-plan.ts';
import type { Append, AppendOutcome } from '../group-commit.ts';
import { GroupCommit } from '../group-commit.ts';
import { inTransaction, storing } from './database.ts';

/**
 * The audit log in SQLite. `database` must be a durable connection. An administrator's command may append beside the
 * gateway: each transaction looks first at where the log stands.
 */
export class SqliteAuditLog implements AuditLog {
  readonly #database: DatabaseSync;
  readonly #statements: ReturnType<typeof prepare>;
  readonly #group = new GroupCommit((group) => this.#commit(group));
  /** Where the log stood after our last transaction; unknown at first and after one that failed. */
  #tip: LogTip | undefined;
  #head: TreeHead | undefined;

  constructor(database: DatabaseSync) {
    this.#database = database;
    this.#statements = storing(() => prepare(database));
  }

  append(at: number, event: LogEvent, charges: readonly Charge[] = []): Promise<AppendResult> {
    return this.#group.append(at, event, charges);
  }

  async exceeded(charges: readonly Charge[]): Promise<Charge | undefined> {
    return storing(() => firstExceeded(this.#counters(charges), charges));
  }

  async head(): Promise<TreeHead> {
    const { size } = storing(() => this.#last());
    if (this.#head?.size !== size) this.#head = await treeHeadAt(this.hashes, size);
    return this.#head;
  }

  readonly hashes: HashReader = async (nodes) => storing(() => nodes.map((node) => this.#hash(node)));

  async leaves(from: number, count: number): Promise<readonly Uint8Array[]> {
    return storing(() => this.#statements.leaves.all(from, count).map(({ leaf }) => leaf as Uint8Array));
  }

  async probe(): Promise<void> {
    storing(() => this.#statements.probe.run());
  }

  #commit(group: readonly Append[]): readonly AppendOutcome[] {
    const tip = this.#tip;
    this.#tip = undefined;
    return storing(() => {
      const [outcomes, next] = inTransaction(this.#database, () => this.#write(tip, group));
      this.#tip = next;
      return outcomes;
    });
  }

  #write(known: LogTip | undefined, group: readonly Append[]): [readonly AppendOutcome[], LogTip] {
    const { size, at } = this.#last();
    const tip =
      known?.tree.size === size
        ? known
        : {
            tree: new TreeBuilder(
              size,
              frontierOf(size).map((node) => this.#hash(node)),
            ),
            at,
          };
    const counters = this.#counters(group.flatMap(({ charges }) => charges));
    const plan = planAppends(tip, counters, group);
    for (const entry of plan.entries) this.#insert(entry);
    for (const [name, { windowEnd, used }] of plan.counters)
      this.#statements.charge.run(name, windowEnd, used);
    return [plan.outcomes, tip];
  }

  #insert({ index, entry, leaf, hashes }: NewEntry): void {
    const terms = searchTermsOf(entry);
    this.#statements.insert.run(
      index,
      entry.at,
      entry.event,
      terms.agency ?? null,
      terms.purpose ?? null,
      terms.professional ?? null,
      terms.caseCommitment ?? null,
      terms.lookupId ?? null,
      terms.node ?? null,
      terms.status ?? null,
      terms.persons ?? null,
      terms.milliseconds ?? null,
      hashes,
      leaf,
    );
  }

  /** How many entries there are, and the time of the last one. */
  #last(): { size: number; at: number } {
    const row = this.#statements.last.get();
    return row === undefined ? { size: 0, at: 0 } : { size: Number(row['idx']) + 1, at: Number(row['at']) };
  }

  #hash({ level, index }: NodeId): Uint8Array {
    const row = this.#statements.hash.get(lastLeafOf(level, index), level * HASH_BYTES + 1, HASH_BYTES);
    const hash = row?.['hash'] as Uint8Array | undefined;
    if (hash?.length !== HASH_BYTES)
      throw new HitError('not-found', `the log has no subtree ${index} of level ${level}`);
    return hash;
  }

  #counters(charges: readonly Charge[]): Map<string, Counter> {
    const counters = new Map<string, Counter>();
    for (const name of new Set(charges.map(({ counter }) => counter))) {
      const row = this.#statements.counter.get(name);
      if (row !== undefined)
        counters.set(name, { windowEnd: Number(row['window_end']), used: Number(row['used']) });
    }
    return counters;
  }
}

const prepare = (database: DatabaseSync) =>
  ({
    last: database.prepare('SELECT idx, at FROM entry ORDER BY idx DESC LIMIT 1'),
    hash: database.prepare('SELECT substr(hashes, ?2, ?3) AS hash FROM entry WHERE idx = ?1'),
    leaves: database.prepare('SELECT leaf FROM entry WHERE idx >= ? ORDER BY idx LIMIT ?'),
    insert: database.prepare(
      `INSERT INTO entry (idx, at, event, agency, purpose, professional, case_commitment, lookup_id, node, status,
         persons, milliseconds, hashes, leaf) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
    ),
    counter: database.prepare('SELECT window_end, used FROM quota WHERE counter = ?'),
    charge: database.prepare(
      `INSERT INTO quota (counter, window_end, used) VALUES (?1, ?2, ?3)
         ON CONFLICT (counter) DO UPDATE SET window_end = ?2, used = ?3`,
    ),
    probe: database.prepare(
      'INSERT INTO probe (id, at) VALUES (1, 1) ON CONFLICT (id) DO UPDATE SET at = at + 1',
    ),
  }) satisfies Record<string, StatementSync>;

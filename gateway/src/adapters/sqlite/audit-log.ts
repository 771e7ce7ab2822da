import type { DatabaseSync, StatementSync } from 'node:sqlite';
import type { HashReader, LogEvent, TreeHead } from '@hitmachine/protocol';
import { frontierOf, treeHeadAt } from '@hitmachine/protocol';
import type { AppendResult, AuditLog } from '../../ports/audit-log.ts';
import type { Charge } from '../../ports/quota.ts';
import type { AppendPlan, Counter, LogTip } from '../append-plan.ts';
import { firstExceeded, planAppends, tipOf } from '../append-plan.ts';
import { packBundle } from '../bundle.ts';
import type { Append, AppendOutcome } from '../group-commit.ts';
import { GroupCommit } from '../group-commit.ts';
import { KnownHashes } from '../known-hashes.ts';
import { inTransaction, storing } from './database.ts';
import { LogRows } from './log-rows.ts';

const MAX_GROUP = 256;

/**
 * The audit log in SQLite. `database` must be a durable connection. An administrator's command may append beside the
 * gateway: each transaction looks first at where the log stands.
 */
export class SqliteAuditLog implements AuditLog {
  readonly #database: DatabaseSync;
  readonly #appended: () => void;
  readonly #rows: LogRows;
  readonly #statements: ReturnType<typeof prepare>;
  readonly #group = new GroupCommit(MAX_GROUP, (group) => () => this.#commit(group));
  readonly #known = new KnownHashes(async (nodes) =>
    storing(() => nodes.map((node) => this.#rows.hash(node))),
  );
  /** Where the log stood after our last transaction; unknown at first and after one that failed. */
  #tip: LogTip | undefined;
  #head: TreeHead | undefined;

  /** `appended` is called after each transaction that appended. */
  constructor(database: DatabaseSync, appended: () => void = () => undefined) {
    this.#database = database;
    this.#appended = appended;
    this.#rows = storing(() => new LogRows(database));
    this.#statements = storing(() => prepare(database));
  }

  append(
    at: number,
    event: LogEvent,
    charges: readonly Charge[] = [],
    patienceMs = 0,
  ): Promise<AppendResult> {
    return this.#group.append(at, event, charges, patienceMs);
  }

  async exceeded(charges: readonly Charge[]): Promise<Charge | undefined> {
    return storing(() => firstExceeded(this.#counters(charges), charges));
  }

  async head(): Promise<TreeHead> {
    const { size } = storing(() => this.#rows.last());
    if (this.#head?.size !== size) {
      const tree = this.#tip?.tree;
      this.#head = tree?.size === size ? tree.head() : await treeHeadAt(this.hashes, size);
    }
    return this.#head;
  }

  get hashes(): HashReader {
    return this.#known.read;
  }

  async leaves(from: number, count: number): Promise<readonly Uint8Array[]> {
    return storing(() => this.#rows.leaves(from, count));
  }

  async probe(): Promise<void> {
    storing(() => this.#statements.probe.run());
  }

  #commit(group: readonly Append[]): readonly AppendOutcome[] {
    const tip = this.#tip;
    this.#tip = undefined;
    return storing(() => {
      const [{ outcomes, entries }, next] = inTransaction(this.#database, () => this.#write(tip, group));
      this.#tip = next;
      for (const { nodes } of entries) this.#known.learn(nodes);
      this.#appended();
      return outcomes;
    });
  }

  #write(known: LogTip | undefined, group: readonly Append[]): [AppendPlan, LogTip] {
    const { size, at } = this.#rows.last();
    const tip =
      known?.tree.size === size
        ? known
        : tipOf(
            size,
            frontierOf(size).map((node) => this.#rows.hash(node)),
            at,
          );
    const counters = this.#counters(group.flatMap(({ charges }) => charges));
    const plan = planAppends(tip, counters, group);
    const bundle = packBundle(plan.entries);
    if (bundle !== undefined) this.#rows.insert(bundle);
    for (const [name, { windowEnd, used }] of plan.counters)
      this.#statements.charge.run(name, windowEnd, used);
    return [plan, tip];
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
    counter: database.prepare('SELECT window_end, used FROM quota WHERE counter = ?'),
    charge: database.prepare(
      `INSERT INTO quota (counter, window_end, used) VALUES (?1, ?2, ?3)
         ON CONFLICT (counter) DO UPDATE SET window_end = ?2, used = ?3`,
    ),
    probe: database.prepare(
      'INSERT INTO probe (id, at) VALUES (1, 1) ON CONFLICT (id) DO UPDATE SET at = at + 1',
    ),
  }) satisfies Record<string, StatementSync>;

import type { HashReader, LogEvent, TreeHead } from '@hitmachine/protocol';
import { frontierOf, treeHeadAt } from '@hitmachine/protocol';
import type { AppendResult, AuditLog } from '../../ports/audit-log.ts';
import type { Charge } from '../../ports/quota.ts';
import type { AppendPlan, Counters, LogTip } from '../append-plan.ts';
import { firstExceeded, planAppends, tipOf } from '../append-plan.ts';
import type { Bundle } from '../bundle.ts';
import type { Append, AppendOutcome } from '../group-commit.ts';
import { GroupCommit } from '../group-commit.ts';
import type { PostgresDatabase, Run } from './database.ts';
import { APPEND_LOCK } from './locks.ts';
import { countersOf, hashesOf, lastOf, leavesOf } from './log-rows.ts';

/** Milliseconds to wait for another gateway that appends. */
const LOCK_PATIENCE_MS = 5_000;

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
    return firstExceeded(await countersOf(this.#database.query, namesOf(charges)), charges);
  }

  async head(): Promise<TreeHead> {
    const { size } = await lastOf(this.#database.query);
    const known = this.#head;
    if (known?.size === size) return known;
    return (this.#head = await treeHeadAt(this.hashes, size));
  }

  readonly hashes: HashReader = (nodes) => hashesOf(this.#database.query, nodes);

  leaves(from: number, count: number): Promise<readonly Uint8Array[]> {
    return leavesOf(this.#database.query, from, count);
  }

  async probe(): Promise<void> {
    await this.#database.transaction([], (run) =>
      run('INSERT INTO probe (id, at) VALUES (1, 1) ON CONFLICT (id) DO UPDATE SET at = probe.at + 1'),
    );
  }

  async #commit(group: readonly Append[]): Promise<readonly AppendOutcome[]> {
    const tip = this.#tip;
    this.#tip = undefined;
    const names = namesOf(group.flatMap(({ charges }) => charges));
    return (tip && (await this.#commitUnlessOvertaken(tip, names, group))) ?? this.#commitLocked(names, group);
  }

  /** In one round trip, on from where we left the log; undefined when another gateway has come between. */
  async #commitUnlessOvertaken(
    tip: LogTip,
    names: readonly string[],
    group: readonly Append[],
  ): Promise<readonly AppendOutcome[] | undefined> {
    const { query } = this.#database;
    const found = await countersOf(query, names);
    const plan = planAppends(tip, found, group);
    if (!(await write(query, plan, names, found))) return undefined;
    this.#tip = tip;
    return plan.outcomes;
  }

  /** Holds the lock while it looks where the log stands, plans and writes, so that nobody can come between. */
  async #commitLocked(
    names: readonly string[],
    group: readonly Append[],
  ): Promise<readonly AppendOutcome[]> {
    const [outcomes, tip] = await this.#database.transaction([APPEND_LOCK], async (run) => {
      const { size, at } = await lastOf(run);
      const tip = tipOf(size, await hashesOf(run, frontierOf(size)), at);
      const found = await countersOf(run, names);
      const plan = planAppends(tip, found, group);
      if (!(await write(run, plan, names, found))) throw new Error('the log moved on although it was locked');
      return [plan.outcomes, tip] as const;
    });
    this.#tip = tip;
    return outcomes;
  }
}

const namesOf = (charges: readonly Charge[]): string[] => [
  ...new Set(charges.map(({ counter }) => counter)),
];

const WRITE = 'SELECT append_bundle($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13) AS written';

/** Gives whether log and counters still were what the plan had found; nothing is written where they were not. */
async function write(
  run: Run,
  { bundle, counters }: AppendPlan,
  names: readonly string[],
  found: Counters,
): Promise<boolean> {
  if (bundle === undefined) return true;
  const { first, count, at, hashStart, hashes, leaves }: Bundle = bundle;
  const [row] = await run(WRITE, [
    ...[first, count, at, hashStart, hashes, leaves],
    ...[names, names.map((name) => found.get(name)?.windowEnd), names.map((name) => found.get(name)?.used)],
    ...[[...counters.keys()], [...counters.values()].map(({ windowEnd }) => windowEnd)],
    ...[[...counters.values()].map(({ used }) => used), LOCK_PATIENCE_MS],
  ]);
  return row?.['written'] === true;
}

import type { HashReader, LogEvent, TreeHead } from '@hitmachine/protocol';
import { frontierOf, treeHeadAt } from '@hitmachine/protocol';
import type { AppendResult, AuditLog } from '../../ports/audit-log.ts';
import type { Charge } from '../../ports/quota.ts';
import type { Counter, Counters, LogTip } from '../append-plan.ts';
import { firstExceeded, planAppends, tipOf } from '../append-plan.ts';
import type { Bundle } from '../bundle.ts';
import { packBundle, packBundleAside } from '../bundle.ts';
import type { Append, AppendOutcome, Write } from '../group-commit.ts';
import { GroupCommit } from '../group-commit.ts';
import type { PostgresDatabase, Run } from '@hitmachine/service';
import { APPEND_LOCK } from './locks.ts';
import { countersOf, hashesOf, lastOf, leavesOf } from './log-rows.ts';

/** Half of many: the other half is planned while the database works. */
const MAX_GROUP = 128;
/** Milliseconds to wait for another gateway that appends. */
const LOCK_PATIENCE_MS = 5_000;

/**
 * A process that hangs while it holds the lock keeps all others from answering. One that pauses so long between two
 * statements has long begun to turn lookups away.
 */
const RELEASED_WHEN_HANGING = 'SET LOCAL idle_in_transaction_session_timeout TO 1000';

/** Where the log stands when all that is planned is written, and the counters that this has yet to change. */
interface Standing {
  readonly tip: LogTip;
  readonly charged: Map<string, Counter>;
}

/**
 * The audit log in PostgreSQL. Several gateways may append to it: a lock orders their transactions, and each looks
 * first at where the log stands. One case cannot be told from a failure: a connection that breaks between a commit
 * and the answer to it. Its entries then stand in the log although `append` rejected, as after a crash.
 */
export class PostgresAuditLog implements AuditLog {
  readonly #database: PostgresDatabase;
  readonly #appended: () => void;
  readonly #group = new GroupCommit(MAX_GROUP, (group) => this.#prepare(group));
  /** Unknown at first, and after a write that failed or was overtaken by another gateway. */
  #standing: Standing | undefined;
  #looking: Promise<unknown> = Promise.resolve();
  #head: TreeHead | undefined;

  /** `appended` is called after each transaction that appended. */
  constructor(database: PostgresDatabase, appended: () => void = () => undefined) {
    this.#database = database;
    this.#appended = appended;
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

  /** Plans a group as if the one that is being written succeeded. */
  async #prepare(group: readonly Append[]): Promise<Write> {
    await this.#looking;
    const names = namesOf(group.flatMap(({ charges }) => charges));
    const standing = this.#standing;
    if (standing === undefined) return () => this.#commitLocked(names, group);
    const { tip, charged } = standing;
    // Whether it is written meanwhile or not: what it charged is what counts.
    const unwritten = new Map(charged);
    const found = new Map([...(await countersOf(this.#database.query, names)), ...unwritten]);
    // It failed while we looked.
    if (this.#standing !== standing) return () => this.#commitLocked(names, group);
    const plan = planAppends(tip, found, group);
    for (const [name, counter] of plan.counters) charged.set(name, counter);
    const bundle = await packBundleAside(plan.entries);
    return async () => {
      if (this.#standing === standing && (await this.#written({ ...plan, bundle }))) {
        for (const [name, counter] of plan.counters) if (charged.get(name) === counter) charged.delete(name);
        this.#appended();
        return plan.outcomes;
      }
      return this.#commitLocked(names, group);
    };
  }

  /** Writes in one round trip; false when another gateway has come between. */
  async #written(plan: Written): Promise<boolean> {
    let written = false;
    try {
      written = await write(this.#database.query, plan);
    } finally {
      // What is planned stands on what is not so.
      if (!written) this.#standing = undefined;
    }
    return written;
  }

  /** Holds the lock while it looks where the log stands, plans and writes, so that nobody can come between. */
  #commitLocked(names: readonly string[], group: readonly Append[]): Promise<readonly AppendOutcome[]> {
    this.#standing = undefined;
    const done = this.#database.transaction([RELEASED_WHEN_HANGING, APPEND_LOCK], async (run) => {
      const { size, at } = await lastOf(run);
      const tip = tipOf(size, await hashesOf(run, frontierOf(size)), at);
      const plan = planAppends(tip, await countersOf(run, names), group);
      const bundle = packBundle(plan.entries);
      if (!(await write(run, { ...plan, bundle })))
        throw new Error('the log moved on although it was locked');
      return [plan.outcomes, tip] as const;
    });
    const looked = done.then(([outcomes, tip]) => {
      this.#standing = { tip, charged: new Map() };
      this.#appended();
      return outcomes;
    });
    this.#looking = looked.catch(() => undefined);
    return looked;
  }
}

const namesOf = (charges: readonly Charge[]): string[] => [...new Set(charges.map(({ counter }) => counter))];

const WRITE = 'SELECT append_bundle($1, $2, $3, $4, $5, $6, $7, $8, $9, $10) AS written';

/** What is written of a plan. */
interface Written {
  readonly bundle: Bundle | undefined;
  readonly counters: Counters;
}

/** Gives whether the log still was where the plan had found it; nothing is written where it was not. */
async function write(run: Run, { bundle, counters }: Written): Promise<boolean> {
  if (bundle === undefined) return true;
  const { first, count, at, hashStart, hashes, leaves } = bundle;
  const charged = [...counters.values()];
  const [row] = await run(WRITE, [
    ...[first, count, at, hashStart, hashes, leaves, [...counters.keys()]],
    ...[charged.map(({ windowEnd }) => windowEnd), charged.map(({ used }) => used), LOCK_PATIENCE_MS],
  ]);
  return row?.['written'] === true;
}

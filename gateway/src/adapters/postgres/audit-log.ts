import type { HashReader, LogEvent, TreeHead } from '@hitmachine/protocol';
import { treeHeadAt } from '@hitmachine/protocol';
import type { AppendResult, AuditLog } from '../../ports/audit-log.ts';
import type { Charge } from '../../ports/quota.ts';
import type { AppendPlan, Counter, Counters, LogTip, NewEntry } from '../append-plan.ts';
import { firstExceeded, planAppends } from '../append-plan.ts';
import type { Bundle } from '../bundle.ts';
import { packBundle, packBundleAside } from '../bundle.ts';
import type { Append, AppendOutcome, Write } from '../group-commit.ts';
import { GroupCommit } from '../group-commit.ts';
import { KnownHashes } from '../known-hashes.ts';
import type { PostgresDatabase, Row, Run } from '@hitmachine/service';
import { APPEND_LOCK } from './locks.ts';
import { countersOf, hashesOf, lastOf, leavesOf, standingOf, tipIn } from './log-rows.ts';

/** Half of many: the other half is planned while the database works. */
const MAX_GROUP = 128;
/** How often a group is planned anew because another gateway came between, before nobody else is let in. */
const MAX_OVERTAKEN = 3;
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
  readonly #known = new KnownHashes((nodes) => hashesOf(this.#database.query, nodes));
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

  get hashes(): HashReader {
    return this.#known.read;
  }

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
    if (standing === undefined) return () => this.#planAnew(names, group);
    const { tip, charged } = standing;
    // Whether it is written meanwhile or not: what it charged is what counts.
    const unwritten = new Map(charged);
    const found = new Map([...(await countersOf(this.#database.query, names)), ...unwritten]);
    // It failed while we looked.
    if (this.#standing !== standing) return () => this.#planAnew(names, group);
    const plan = planAppends(tip, found, group);
    for (const [name, counter] of plan.counters) charged.set(name, counter);
    const bundle = await packBundleAside(plan.entries);
    return async () => {
      if (this.#standing !== standing) return this.#planAnew(names, group);
      const overtakenAt = await this.#write({ ...plan, bundle });
      if (overtakenAt !== undefined) return this.#planAnew(names, group, overtakenAt);
      for (const [name, counter] of plan.counters) if (charged.get(name) === counter) charged.delete(name);
      this.#stands(plan.entries);
      return plan.outcomes;
    };
  }

  /** As {@link write}. Whatever else is planned stands on this: when it is not written, that is void. */
  async #write(plan: Written): Promise<LogTip | undefined> {
    try {
      const overtakenAt = await write(this.#database.query, plan);
      if (overtakenAt !== undefined) this.#standing = undefined;
      return overtakenAt;
    } catch (error) {
      this.#standing = undefined;
      throw error;
    }
  }

  /** Writes a group whose plan came to nothing. `tip`: where the log stands, when that is known. */
  #planAnew(
    names: readonly string[],
    group: readonly Append[],
    tip?: LogTip,
  ): Promise<readonly AppendOutcome[]> {
    this.#standing = undefined;
    const done = this.#attempts(names, group, tip).then(([{ outcomes, entries }, at]) => {
      this.#standing = { tip: at, charged: new Map() };
      this.#stands(entries);
      return outcomes;
    });
    this.#looking = done.catch(() => undefined);
    return done;
  }

  /** Takes note of entries that stand in the log now. */
  #stands(entries: readonly NewEntry[]): void {
    for (const { nodes } of entries) this.#known.learn(nodes);
    this.#appended();
  }

  /** Plans and writes until nobody comes between. Gives where the log stands then. */
  async #attempts(
    names: readonly string[],
    group: readonly Append[],
    known?: LogTip,
  ): Promise<readonly [AppendPlan, LogTip]> {
    const { query } = this.#database;
    let tip = known ?? (await standingOf(query));
    for (let overtaken = 0; overtaken < MAX_OVERTAKEN; overtaken++) {
      // A receipt for what is appended now is made of these.
      this.#known.learn(tip.tree.edge());
      const planned = await plannedAt(tip, { run: query, names, group });
      const overtakenAt = await write(query, planned);
      if (overtakenAt === undefined) return [planned, tip];
      tip = overtakenAt;
    }
    // Nobody can come between who holds the lock while looking, planning and writing.
    return this.#database.transaction([RELEASED_WHEN_HANGING, APPEND_LOCK], async (run) => {
      const last = await standingOf(run);
      const planned = await plannedAt(last, { run, names, group });
      if ((await write(run, planned)) !== undefined)
        throw new Error('the log moved on although it was locked');
      return [planned, last] as const;
    });
  }
}

/** Plans a group from a tip, which is moved on; the counters are read now. */
async function plannedAt(
  tip: LogTip,
  { run, names, group }: { run: Run; names: readonly string[]; group: readonly Append[] },
): Promise<AppendPlan & Written> {
  const plan = planAppends(tip, await countersOf(run, names), group);
  return { ...plan, bundle: packBundle(plan.entries) };
}

const namesOf = (charges: readonly Charge[]): string[] => [...new Set(charges.map(({ counter }) => counter))];

const WRITE = 'SELECT * FROM append_or_look($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)';

/** What is written of a plan. */
interface Written {
  readonly bundle: Bundle | undefined;
  readonly counters: Counters;
}

/** Writes in one round trip. Gives where the log stands when that is not where the plan had found it: nothing is written then. */
async function write(run: Run, { bundle, counters }: Written): Promise<LogTip | undefined> {
  if (bundle === undefined) return undefined;
  const { first, count, at, hashStart, hashes, leaves } = bundle;
  const charged = [...counters.values()];
  const [row] = await run(WRITE, [
    ...[first, count, at, hashStart, hashes, leaves, [...counters.keys()]],
    ...[charged.map(({ windowEnd }) => windowEnd), charged.map(({ used }) => used), LOCK_PATIENCE_MS],
  ]);
  return row?.['written'] === true ? undefined : tipIn(row as Row);
}

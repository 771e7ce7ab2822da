import { createHmac } from 'node:crypto';
import type { Backend, Random, Secret } from '@hitmachine/protocol';
import { AGENCY_LOG_START, LIMITS, bytesToHex } from '@hitmachine/protocol';
import type {
  Admission,
  AgencyEvent,
  AgencyLog,
  AnsweredDetail,
  AskedAbout,
  LoggedEvent,
  OpenedDetail,
} from '../../ports/agency-log.ts';
import type { AgentDatabase, Run } from '../database.ts';
import { GroupCommit } from '../group-commit.ts';
import { AnswerQuotas } from './answer-quotas.ts';
import { AnsweredBefore } from './answered-before.ts';
import { addAskedAbout } from './asked-about.ts';
import type { LogSealing } from './log-entries.ts';
import { LogEntries, openEntry, tipOf } from './log-entries.ts';
import { sqlLogRows } from './log-rows.ts';
import { Outcomes } from './outcomes.ts';
import { removeContent } from './remove-content.ts';

/** The counter of all askers together. */
const EVERYBODY = '*';
/** Entries of one transaction; bounds how long it holds the log. */
const MAX_GROUP = 64;

/** An entry that waits for its transaction. */
type Append = { readonly now: number } & (
  | { readonly type: 'event'; readonly entry: AgencyEvent }
  | {
      readonly type: 'opened';
      readonly lookupKey: string;
      readonly detail: OpenedDetail;
      readonly askedAbout: AskedAbout | undefined;
    }
  | {
      readonly type: 'answered';
      readonly lookupKey: string;
      readonly detail: AnsweredDetail;
      readonly quota: { readonly limit: number; readonly total: number };
    }
);
type AppendAnswered = Extract<Append, { type: 'answered' }>;

const dayOf = (now: number): string => new Date(now).toISOString().slice(0, 10);

/**
 * {@link AgencyLog} in a database. Details are sealed under the agency's log key: the files alone show when, not who.
 * Whoever waits at the same time shares a transaction.
 */
export function sqlAgencyLog(
  database: AgentDatabase,
  backend: Backend,
  logKey: Secret<Uint8Array>,
  random: Random,
): AgencyLog {
  const sealing: LogSealing = { backend, logKey, random };
  const stored = sqlLogRows(database);
  const outcomes = new Outcomes(backend, random);
  const group = new GroupCommit<Append, Admission>(MAX_GROUP, (appends) =>
    database.transaction('log', (run) => writeAll(run, appends)),
  );

  const counterNames = new Map<string, string>();
  /** Stands for an asker in the day's counters, so that these do not show either who asked. */
  function counterName(agency: string): string {
    const known = counterNames.get(agency);
    if (known !== undefined) return known;
    const name = createHmac('sha256', logKey.reveal())
      .update(`hitmachine-v1 quota ${agency}`)
      .digest('base64url');
    if (counterNames.size >= LIMITS.agencies) counterNames.clear();
    counterNames.set(agency, name);
    return name;
  }

  const chargesOf = ({ detail, quota, now }: AppendAnswered) => [
    {
      reason: 'node-quota-agency' as const,
      charge: { day: dayOf(now), name: counterName(detail.asker) },
      limit: quota.limit,
    },
    {
      reason: 'node-quota-all' as const,
      charge: { day: dayOf(now), name: EVERYBODY },
      limit: quota.total,
    },
  ];

  async function writeAll(run: Run, appends: readonly Append[]): Promise<Admission[]> {
    const entries = new LogEntries(sealing, await tipOf(run));
    const answers = appends.filter((append) => append.type === 'answered');
    const answered = await AnsweredBefore.read(run, sealing, answers);
    const charges = answers.flatMap((answer) => chargesOf(answer).map(({ charge }) => charge));
    const quotas = await AnswerQuotas.read(run, charges);
    const admissions: Admission[] = [];
    for (const append of appends) {
      if (append.type === 'answered') admissions.push(admit(append, { entries, quotas, answered }));
      else {
        admissions.push('logged');
        await take(run, entries, append);
      }
    }
    await entries.write(run);
    await quotas.write(run);
    return admissions;
  }

  function admit(
    append: AppendAnswered,
    {
      entries,
      quotas,
      answered,
    }: { readonly entries: LogEntries; readonly quotas: AnswerQuotas; readonly answered: AnsweredBefore },
  ): Admission {
    const { lookupKey, detail, now } = append;
    const before = answered.seen(lookupKey, detail);
    if (before !== undefined) return before;
    const charges = chargesOf(append);
    const exceeded = charges.find(({ charge, limit }) => quotas.of(charge) + detail.persons > limit);
    if (exceeded !== undefined) {
      const { reason } = exceeded;
      entries.add('refused', lookupKey, { ...detail, reason }, now);
      return reason;
    }
    for (const { charge } of charges) quotas.charge(charge, detail.persons);
    entries.add('answered', lookupKey, detail, now);
    answered.add(lookupKey, detail);
    return 'logged';
  }

  async function take(run: Run, entries: LogEntries, append: Exclude<Append, AppendAnswered>): Promise<void> {
    const { now } = append;
    if (append.type === 'opened') {
      if (append.askedAbout !== undefined) await addAskedAbout(run, append.askedAbout, now);
      return entries.add('opened', append.lookupKey, append.detail, now);
    }
    const { entry } = append;
    const { event, lookupKey } = entry;
    const until = entry.event === 'asked' ? entry.outcomesUntil : undefined;
    const detail =
      entry.event === 'asked' && until !== undefined
        ? await outcomes.seal(run, lookupKey, entry.detail, until)
        : entry.detail;
    entries.add(event, lookupKey, detail, now);
  }

  const open: AgencyLog['open'] = async (content, previous) => {
    const { detail, binding } = openEntry(sealing, content, previous);
    return {
      detail:
        content.event === 'asked' ? await outcomes.open(database.run, content.lookupKey, detail) : detail,
      binding,
    };
  };

  return {
    append: async (entry, now) => void (await group.add({ type: 'event', entry, now })),
    appendOpened: async (lookupKey, detail, askedAbout, now) =>
      void (await group.add({ type: 'opened', lookupKey, detail, askedAbout, now })),
    appendAnswered: (lookupId, detail, quota, now) =>
      group.add({ type: 'answered', lookupKey: bytesToHex(lookupId), detail, quota, now }),
    rows: (after, limit) => stored.rows(after, limit),
    open,
    async read(after, limit) {
      const before = await database.run('SELECT chain FROM log WHERE sequence = $1', [after]);
      let previous = (before.rows[0]?.['chain'] as Uint8Array | undefined) ?? AGENCY_LOG_START.chain;
      const events: LoggedEvent[] = [];
      for (const { sequence, at, content, chain } of await stored.rows(after, limit)) {
        const { event, lookupKey } = content ?? { event: 'removed', lookupKey: '' };
        const detail = content === undefined ? undefined : (await open(content, previous)).detail;
        events.push({ sequence, at, event, lookupKey, detail });
        previous = chain;
      }
      return events;
    },
    async head() {
      const { sequence, chain } = await tipOf(database.run);
      return { sequence, chain };
    },
    removeContent: (olderThan, limit, now) => removeContent(database, sealing, { olderThan, limit, now }),
  };
}

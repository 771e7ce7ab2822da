import { HitError, encodeBase64, hexToBytes } from '@hitmachine/protocol';
import { sqlAgencyLog } from '../adapters/sql/agency-log.ts';
import { openAgent } from '../open-agent.ts';
import type {
  AccessRefusedDetail,
  AgencyEvent,
  AgencyLog,
  AnsweredDetail,
  ContentRemovedDetail,
  LoggedEvent,
  OpenedDetail,
  ReadDetail,
  ReviewedDetail,
  SignalDetail,
} from '../ports/agency-log.ts';
import { secureRandom } from '../random.ts';
import { counted, word } from './print.ts';
import type { Terminal } from './print.ts';

export interface LogOptions {
  /** The number of the entry after which to begin. */
  readonly after: number;
  readonly limit: number;
  readonly json: boolean;
}

/**
 * `hit-agent log`: what this agency asked and answered, for its privacy officer; opened with the agency's own key. A
 * line an entry; persons stand there as pseudonyms under this agency's key, never as they were asked about.
 */
export async function log(path: string, options: LogOptions, terminal: Terminal): Promise<void> {
  const agent = await openAgent(path);
  try {
    const entries = sqlAgencyLog(agent.database, agent.backend, agent.keys.logKey, secureRandom);
    let { after } = options;
    for (let printed = 0; printed < options.limit; printed++) {
      const entry = await entryAfter(entries, after);
      if (entry === undefined) return;
      terminal.out(options.json ? inJson(entry) : inWords(entry));
      after = entry.sequence;
    }
    if ((await entryAfter(entries, after)) !== undefined)
      terminal.err(`There are more entries: hit-agent log --after ${after} --dir ${path}\n`);
  } finally {
    await agent.database.close();
  }
}

/** One by one, so that it can be told which entry does not open. */
async function entryAfter(entries: AgencyLog, after: number): Promise<LoggedEvent | undefined> {
  try {
    return (await entries.read(after, 1))[0];
  } catch (cause) {
    if (!(cause instanceof HitError) || cause.code !== 'decryption-failed') throw cause;
    throw new HitError(
      'storage-failed',
      `the entry after ${after} does not open: it was changed, or sealed under other keys than those of this agent`,
      { cause },
    );
  }
}

const iso = (at: number): string => new Date(at).toISOString();

const inJson = ({ sequence, at, event, lookupKey, detail }: LoggedEvent): string =>
  JSON.stringify({ sequence, at: iso(at), event, lookup: lookupOf(event, lookupKey), detail });

/** A lookup that was answered is stored under its identifier; in text that is base64url everywhere else. */
function lookupOf(event: string, lookupKey: string): string {
  const isOwn = event !== 'answered' && event !== 'refused';
  return isOwn || !/^([0-9a-f]{2})+$/.test(lookupKey) ? lookupKey : encodeBase64(hexToBytes(lookupKey));
}

function inWords({ sequence, at, event, lookupKey, detail }: LoggedEvent): string {
  if (event === 'removed') return `${sequence}  ${iso(at).slice(0, 10)}  content removed`;
  const parts = [String(sequence), iso(at), event];
  // Sealed under this agency's key when it was written, so it is as it was written.
  if (event === 'content-removed')
    return [...parts, ...contentRemoved(detail as ContentRemovedDetail)].join('  ');
  if (event === 'log-read') {
    const { reader, reading, what } = detail as ReadDetail;
    return [...parts, `by ${word(reader)}`, reading, ...(what === '' ? [] : [word(what)])].join('  ');
  }
  if (event === 'signal') {
    const { signal, side, who, count } = detail as SignalDetail;
    const by = side === 'asking' ? 'by' : 'from';
    return [...parts, signal, `${by} ${word(who)}`, counted(count, 'person')].join('  ');
  }
  if (event === 'reviewed') {
    const { lookupId, verdict, by } = detail as ReviewedDetail;
    return [...parts, `id ${word(lookupId)}`, verdict, `by ${word(by)}`].join('  ');
  }
  if (event === 'access-refused') {
    const { reader, path: address } = detail as AccessRefusedDetail;
    return [...parts, `to ${word(reader)}`, word(address)].join('  ');
  }
  parts.push(`lookup ${word(lookupOf(event, lookupKey))}`);
  if (event === 'asking') parts.push(...asking(detail as DetailOf<'asking'>));
  else if (event === 'opened') parts.push(...opened(detail as OpenedDetail));
  else if (event === 'asked') parts.push(...asked(detail as DetailOf<'asked'>));
  else parts.push(...answered(detail as AnsweredDetail & { readonly reason?: string }));
  return parts.join('  ');
}

type DetailOf<E extends AgencyEvent['event']> = Extract<AgencyEvent, { event: E }>['detail'];

function asking(detail: DetailOf<'asking'>): string[] {
  const { professional, role, approval, breakGlass, caseSystem, purpose } = detail;
  const { caseReference, subjects, registers } = detail;
  const persons = subjects.map((tokens) =>
    Object.entries(tokens)
      .map(([type, pseudonym]) => `${type}:${pseudonym}`)
      .join(','),
  );
  return [
    `by ${word(professional)}`,
    `as ${word(role)}`,
    ...(approval === undefined ? [] : [`approved by ${word(approval.professional)}`]),
    ...(breakGlass === undefined ? [] : [`in need: ${word(breakGlass.reason)}`]),
    ...(caseSystem === undefined ? [] : [`by the case system ${word(caseSystem)}`]),
    `purpose ${word(purpose)}`,
    `case ${word(caseReference)}`,
    `${counted(subjects.length, 'person')} at ${counted(registers.length, 'register')}`,
    ...persons.map((pseudonyms) => `subject ${word(pseudonyms)}`),
  ];
}

const opened = ({ lookupId, nodes }: OpenedDetail): string[] => [
  `id ${word(lookupId)}`,
  `at ${nodes.map(word).join(', ')}`,
];

const contentRemoved = ({ entries, upTo, askedAbout, olderThan }: ContentRemovedDetail): string[] => [
  `of ${counted(entries, 'entry', 'entries')}, up to ${upTo}`,
  `older than ${olderThan.slice(0, 10)}`,
  `with ${counted(askedAbout, 'pseudonym')} of persons asked about`,
];

/** How often each outcome; which register knows which person stands in the JSON. */
function asked({ lookupId, outcomes, outcomesRemoved, failure }: DetailOf<'asked'>): string[] {
  const counts = new Map<string, number>();
  for (const outcome of outcomes.flatMap((registers) => Object.values(registers)))
    counts.set(outcome, (counts.get(outcome) ?? 0) + 1);
  const results = [...counts].sort().map(([outcome, count]) => `${outcome} ${count}`);
  return [
    `id ${word(lookupId ?? '-')}`,
    ...(failure === undefined ? [] : [`failed: ${word(failure)}`]),
    ...(outcomesRemoved === true ? ['outcomes removed'] : []),
    ...(results.length === 0 ? [] : [results.join(', ')]),
  ];
}

function answered(detail: AnsweredDetail & { readonly reason?: string }): string[] {
  return [
    `for ${word(detail.asker)}`,
    `purpose ${word(detail.purpose)}`,
    `${counted(detail.persons, 'person')} at ${detail.registers.map(word).join(', ')}`,
    ...(detail.reason === undefined ? [] : [`reason ${word(detail.reason)}`]),
  ];
}

import { setTimeout as delay } from 'node:timers/promises';
import { HitError } from '@hitmachine/protocol';
import type { Purpose, Roster } from '@hitmachine/protocol';
import type { BatchReport } from '../../desk/batch-summary.ts';
import { readHouseholdFile } from '../adapters/sources/household-file.ts';
import type { BatchEnd, BatchHousehold, BatchProgress } from '../domain/desk/batch.ts';
import { runBatch } from '../domain/desk/batch.ts';
import type { BatchPerson, BatchStatus } from '../domain/desk/batch-figures.ts';
import { byNumber } from '../domain/desk/batch-figures.ts';
import { householdsOf } from '../domain/desk/batch-input.ts';
import { askAgent } from './ask-agent.ts';
import { confirmed } from './lookup.ts';
import type { LookupOptions } from './lookup.ts';
import { BatchFolder } from './batch-folder.ts';
import { counted } from './print.ts';
import type { Terminal } from './print.ts';

export interface BatchOptions extends Omit<LookupOptions, 'breakGlass'> {
  /** Folder for the report. */
  readonly out: string;
  /** Goes on where the batch of that folder ended. */
  readonly continue: boolean;
  readonly language: 'nl' | 'en';
  /** Numbers below it are left out of the report. */
  readonly smallest: number;
}

const BAR = 30;

interface RosterSummary {
  readonly agencies: Roster['agencies'];
  readonly purposes: readonly Purpose[];
}

/**
 * `hit-agent batch`: asks about every household of a file through the running agent, within its quotas, and writes
 * figures that name nobody. Returns whether the whole file was asked about.
 */
export async function batch(
  path: string,
  file: string,
  options: BatchOptions,
  stopped: AbortSignal,
  terminal: Terminal,
): Promise<boolean> {
  const roster = (await askAgent(path, 'GET', '/v1/roster')) as RosterSummary;
  const purpose = roster.purposes.find(({ code }) => code === options.purpose);
  if (purpose === undefined)
    throw new HitError(
      'unknown-purpose',
      `--purpose: the policy has none of that name; it has ${roster.purposes.map(({ code }) => code).join(', ')}`,
    );
  const tokenTypes = purpose.tokenTypes;
  const households = householdsOf(file, await readHouseholdFile(file, tokenTypes), {
    tokenTypes,
    maxPersons: purpose.maxPersons,
    now: Date.now(),
  });
  const folder = new BatchFolder(options.out);
  const from = folder.begin(options.continue, { households: households.length, purpose: purpose.code });
  const statements = await confirmed(path, purpose.code, options.confirm ?? [], terminal);
  const began = performance.now();
  const show = progressTo(terminal, households.length);
  const { progress, end } = await runBatch({
    households,
    from,
    signal: stopped,
    ask: (household) => askAbout(path, household, options, statements),
    progress(now, waiting) {
      folder.save(now);
      show(now, waiting);
    },
    wait: async (seconds, signal) => {
      await delay(seconds * 1_000, undefined, { signal }).catch(() => undefined);
    },
  });
  const report: BatchReport = {
    counts: progress.counts,
    households: households.length,
    purpose: { name: purpose.name[options.language], legalBasis: purpose.legalBasis },
    askedOn: new Date().toISOString().slice(0, 10),
    nameOf: namesOf(roster),
    smallest: options.smallest,
  };
  await folder.finish(report, options.language, end, progress);
  if (terminal.interactive) terminal.err('\n');
  const seconds = ((performance.now() - began) / 1_000).toFixed(1);
  terminal.out(
    options.json ? JSON.stringify(asJson(progress, end, folder)) : inWords(report, seconds, folder),
  );
  if (end.type !== 'complete')
    terminal.err(`${howToGoOn(file, options.out, end, progress, households.length)}\n`);
  return end.type === 'complete';
}

async function askAbout(
  path: string,
  { persons }: BatchHousehold,
  { purpose, case: caseReference, professional, role, approvedBy, approverRole }: BatchOptions,
  statements: readonly string[],
): Promise<BatchPerson[]> {
  const result = (await askAgent(path, 'POST', '/v1/lookups', {
    purpose,
    caseReference,
    professional,
    role,
    statements,
    ...(approvedBy !== undefined && { approval: { professional: approvedBy, role: approverRole } }),
    persons,
  })) as {
    readonly persons: readonly {
      readonly registers: readonly { readonly register: string; readonly status: BatchStatus }[];
      readonly notAsked: readonly { readonly register: string }[];
    }[];
  };
  return result.persons.map(
    ({ registers, notAsked }) =>
      new Map<string, BatchStatus>([
        ...notAsked.map(({ register }) => [register, 'not-asked'] as const),
        ...registers.map(({ register, status }) => [register, status] as const),
      ]),
  );
}

const namesOf = ({ agencies }: RosterSummary): BatchReport['nameOf'] => {
  const names: ReadonlyMap<string, ReturnType<BatchReport['nameOf']>> = new Map(
    agencies.flatMap((agency) =>
      agency.registers.map(({ id, name }) => [`${agency.id}/${id}`, { name, agency: agency.name }] as const),
    ),
  );
  return (register) => names.get(register) ?? { name: register, agency: '' };
};

function progressTo(
  terminal: Terminal,
  total: number,
): (now: BatchProgress, waiting: { readonly seconds: number } | undefined) => void {
  const began = performance.now();
  let first: number | undefined;
  return ({ next }, waiting) => {
    first ??= next - 1;
    if (waiting !== undefined) {
      const why = `a limit is reached; going on in ${waiting.seconds} s`;
      terminal.err(terminal.interactive ? `\r${bar(next, total)} ${why}  ` : `${next}/${total}: ${why}\n`);
      return;
    }
    if (!terminal.interactive) return;
    const perSecond = (next - first) / ((performance.now() - began) / 1_000);
    const left = Math.ceil((total - next) / perSecond);
    terminal.err(`\r${bar(next, total)} ${perSecond.toFixed(1)} a second, ${left} s left      `);
  };
}

function bar(done: number, total: number): string {
  const filled = Math.round((BAR * done) / total);
  return `${'█'.repeat(filled)}${'░'.repeat(BAR - filled)} ${done}/${total} households`;
}

function asJson({ next, counts: figures }: BatchProgress, end: BatchEnd, folder: BatchFolder): unknown {
  return {
    complete: end.type === 'complete',
    next,
    households: { asked: figures.households, ...byNumber(figures.householdsBySet) },
    persons: { asked: figures.persons, ...byNumber(figures.personsBySet) },
    registers: figures.registers,
    report: next === 0 ? undefined : folder.page,
  };
}

function inWords({ counts: figures }: BatchReport, seconds: string, folder: BatchFolder): string {
  const { households, persons, householdsBySet } = figures;
  if (households === 0) return 'Nobody was asked about.';
  const { nowhere, unanswered } = byNumber(householdsBySet);
  const known = households - nowhere - unanswered;
  const uncertain = unanswered > 0 ? `, ${unanswered} without all answers` : '';
  return [
    `${counted(households, 'household')}, ${counted(persons, 'person')}, in ${seconds} s: ` +
      `${known} known somewhere, ${nowhere} nowhere${uncertain}.`,
    `Report: ${folder.page} and ${folder.table}`,
  ].join('\n');
}

function howToGoOn(
  file: string,
  out: string,
  end: Exclude<BatchEnd, { type: 'complete' }>,
  { next }: BatchProgress,
  total: number,
): string {
  const why =
    end.type === 'stopped'
      ? 'It was stopped'
      : `It ended at the household of line ${end.line} of ${file}: ${end.error.detail} (${end.error.code})`;
  return `${why}. ${next} of ${total} households were asked about and are in the report; go on with --continue --out ${out}.`;
}

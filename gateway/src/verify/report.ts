import type { KnownKeys } from '@hitmachine/protocol';
import { duration } from '@hitmachine/protocol';
import type { ExportDescription } from '../export-layout.ts';
import type { Check, Finding, Findings } from './findings.ts';
import { CHECKS } from './findings.ts';
import type { Witness } from './witness-check.ts';

export interface VerifyOptions {
  readonly folder: string;
  /** The gateway's identity key, as its partners know it; without it that of the first entry is taken. */
  readonly gatewayKey?: Uint8Array | undefined;
  /** Path of an earlier export, or of a checkpoint. */
  readonly earlier?: string | undefined;
  /** Paths of receipts. */
  readonly receipts?: readonly string[];
  /** Agencies that must have cosigned; unless told, more than half of those on the newest roster. */
  readonly minWitnesses?: number | undefined;
  /** The keys that agencies are known by, as they say themselves. */
  readonly agencyKeys?: KnownKeys | undefined;
  /** Hears how many entries were checked. */
  readonly progress?: (entries: number, size: number) => void;
}

/** What was found out about an exported log. */
export interface Report {
  readonly description: ExportDescription;
  readonly size: number;
  /** Root of the tree over the entries as computed, base64url. */
  readonly root: string;
  /** The key that the signatures were held against, base64url. */
  readonly gatewayKey: string | undefined;
  readonly keyFrom: 'pinned' | 'first entry';
  /** Time of the last entry, milliseconds since 1970. */
  readonly lastAt: number;
  readonly witnesses: readonly Witness[];
  /** Agencies on the newest roster in the log. */
  readonly agencies: number;
  /** Whether there was anything from before to compare with. */
  readonly compared: boolean;
  readonly findings: Findings;
  readonly notices: readonly string[];
}

/** Findings of one kind that are listed in JSON. */
const LISTED = 100;

const iso = (at: number): string => (Math.abs(at) <= 8.64e15 ? new Date(at).toISOString() : String(at));
const number = (value: number): string => value.toLocaleString('en');
const entries = (count: number): string => (count === 1 ? '1 entry' : `${number(count)} entries`);

/** Good: complete, unaltered, signed, witnessed, well-formed, and nothing contradicts it. */
export const isGood = ({ findings }: Report): boolean => findings.total === 0;

/** The report for people, a line each. */
export function reportLines(report: Report): string[] {
  const { description, size, lastAt, findings, notices } = report;
  const first = findings.inOrder[0];
  const upTo = size === 0 ? '' : `, the last of ${iso(lastAt)}`;
  return [
    `The log ${description.origin}: ${entries(size)}${upTo}.`,
    '',
    ...CHECKS.map((check) => `  ${check.padEnd(12)} ${verdictOf(report, check)}`),
    '',
    ...notices.map((notice) => `Note: ${notice}.`),
    ...(notices.length > 0 ? [''] : []),
    ...(first === undefined ? ['Nothing is wrong with this log.'] : firstLines(first, findings.total)),
  ];
}

function firstLines(first: Finding, total: number): string[] {
  const { check, reason } = first;
  const others = total - 1;
  const more =
    others === 0
      ? []
      : [`${number(others)} more ${others === 1 ? 'thing is' : 'things are'} not right: see --json.`];
  return [`NOT GOOD. ${placeOf(first)} (${check}):`, `  ${reason}.`, ...more];
}

/** Names the entry or the entries that a finding is about. */
export function placeOf({ index, range, at, event }: Finding): string {
  if (index !== undefined) {
    const about = [event, at === undefined ? undefined : iso(at)].filter((part) => part !== undefined);
    return `The first that is not right is entry ${index}${about.length > 0 ? `, ${about.join(' of ')}` : ''}`;
  }
  if (range !== undefined) return `Something is not right among the entries ${range.from} to ${range.to - 1}`;
  return 'Something is not right with the log as a whole';
}

function verdictOf(report: Report, check: Check): string {
  const { findings, compared, keyFrom, witnesses, agencies } = report;
  const wrong = findings.count(check);
  if (wrong > 0) return `NO    ${number(wrong)} ${wrong === 1 ? 'finding' : 'findings'}`;
  if (check === 'consistent' && !compared)
    return '-     nothing to compare with: give --earlier or --receipt';
  const detail: Partial<Record<Check, string>> = {
    signed:
      keyFrom === 'pinned'
        ? 'with the key that you gave'
        : 'with the key in its own first entry: give --gateway-key to know that it is the right one',
    witnessed: `by ${witnesses.length} of ${agencies} agencies${agesText(report)}${witnesses.map(({ agency, at }) => `\n${' '.repeat(21)}${agency} at ${iso(at)}`).join('')}`,
  };
  return `yes   ${detail[check] ?? ''}`.trimEnd();
}

/** Milliseconds from the last entry to the newest and to the oldest of the cosignatures that count. */
function agesOf({ witnesses, lastAt }: Report): { readonly newest: number; readonly oldest: number } | null {
  if (witnesses.length === 0) return null;
  const ages = witnesses.map(({ at }) => at - lastAt);
  return { newest: Math.max(...ages), oldest: Math.min(...ages) };
}

function agesText(report: Report): string {
  const ages = agesOf(report);
  if (ages === null) return '';
  // A cosignature has whole seconds, by another clock.
  const told = (age: number): string => `${duration(Math.abs(age))} ${age < 0 ? 'before' : 'after'}`;
  return report.witnesses.length === 1
    ? `, ${told(ages.newest)} the last entry`
    : `, the newest ${told(ages.newest)} the last entry, the oldest ${told(ages.oldest)} it`;
}

/** The report as one JSON value. */
export function reportJson(report: Report): object {
  const { description, size, root, gatewayKey, keyFrom, lastAt, witnesses, agencies, findings, notices } =
    report;
  return {
    good: isGood(report),
    ...description,
    size,
    root,
    gatewayKey,
    keyFrom,
    lastAt,
    agencies,
    witnesses,
    cosignedAfterMs: agesOf(report),
    checks: Object.fromEntries(
      CHECKS.map((check) => [
        check,
        findings.count(check) > 0 ? false : check === 'consistent' && !report.compared ? null : true,
      ]),
    ),
    first: findings.inOrder[0] ?? null,
    total: findings.total,
    findings: findings.inOrder.slice(0, LISTED),
    notices,
  };
}

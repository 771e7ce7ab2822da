import type { LogEntry, LookupRequest, SignalReport } from '@hitmachine/protocol';
import {
  HitError,
  keyChangeSchema,
  lookupRequestSchema,
  parseJson,
  registersUpdateSchema,
  reviewSchema,
  signalReportSchema,
  tableCommitmentSchema,
  utf8ToBytes,
} from '@hitmachine/protocol';
import type { z } from 'zod';
import type { Html, Language, Names } from '@hitmachine/web';
import { code, dayText, html, link, numberText, timeText } from '@hitmachine/web';
import { searchPath } from './paths.ts';
import type { SearchField } from './search-form.ts';
import type { Texts } from './texts/nl.ts';

/** What it takes to put an entry in words. */
export interface Wording {
  readonly language: Language;
  readonly texts: Texts;
  readonly names: Names;
}

/** The request that an agency signed; undefined when it cannot be read. */
function requestOf<T>(schema: z.ZodType<T>, body: string): T | undefined {
  try {
    return parseJson(schema, utf8ToBytes(body));
  } catch (error) {
    if (error instanceof HitError) return undefined;
    throw error;
  }
}

/** The request that a lookup was opened with; undefined when it cannot be read. */
export const lookupRequestOf = (body: string): LookupRequest | undefined =>
  requestOf(lookupRequestSchema, body);

/** The outcome, rule, code, alarm, signal or verdict of an entry, as the log has it and as it is searched by. */
export function statusOf(entry: LogEntry): string | undefined {
  switch (entry.event) {
    case 'answer':
      return entry.outcome;
    case 'lookup-refused':
    case 'evaluation-refused':
    case 'tables-refused':
    case 'registers-refused':
    case 'key-change-refused':
    case 'signal-refused':
    case 'review-refused':
      return entry.rule ?? entry.code;
    case 'witness-refused':
      return entry.alarm;
    case 'lookup':
      return lookupRequestOf(entry.body)?.breakGlass === true ? 'break-glass' : undefined;
    case 'signal':
      return entry.signal;
    case 'signal-reported':
      return requestOf(signalReportSchema, entry.body)?.signal;
    case 'review':
      return requestOf(reviewSchema, entry.body)?.verdict;
    default:
      return undefined;
  }
}

export const statusText = (texts: Texts, status: string): string => texts.statuses[status] ?? status;

/** What an entry is about, in a few words. */
export function summaryOf(entry: LogEntry, { language, texts, names }: Wording): string {
  const { summaries } = texts;
  const number = (value: number): string => numberText(language, value);
  switch (entry.event) {
    case 'lookup':
    case 'canary': {
      const request = lookupRequestOf(entry.body);
      if (request === undefined) return '';
      return summaries.lookup(names.purpose(request.purpose), request.persons, request.registers.length);
    }
    case 'answer':
      return summaries.answer(names.agency(entry.node), number(entry.milliseconds));
    case 'evaluation':
      return summaries.evaluation(entry.register, number(entry.elements));
    case 'roster':
      return summaries.roster(entry.version, entry.changed.map((part) => texts.changes[part]).join(', '));
    case 'policy':
    case 'members':
      return summaries.policy(entry.version);
    case 'signal':
      return summaries.signal(number(entry.count));
    case 'signal-reported': {
      const report = requestOf(signalReportSchema, entry.body);
      return report === undefined ? '' : summaries.signal(number(report.count));
    }
    case 'agency-invited':
      return entry.again ? summaries.again : '';
    case 'agency-removed':
      return entry.enrolled ? '' : summaries.notEnrolled;
    case 'witness-refused':
      return summaries.witness(number(entry.size));
    case 'log-read':
      return summaries.reading(entry.reader, texts.readings[entry.reading], entry.detail);
    case 'access-refused':
      return summaries.access(entry.reader, entry.path);
    case 'log-opened':
      return entry.federation;
    default:
      return '';
  }
}

/** All fields of an entry with their names, in the order in which they are read. */
export function fieldsOf(
  index: number,
  entry: LogEntry,
  wording: Wording,
): readonly (readonly [name: string, value: Html | string])[] {
  const { language, texts } = wording;
  const { fields } = texts;
  return [
    [fields.index, numberText(language, index)],
    [fields.event, texts.events[entry.event]],
    [fields.time, timeText(language, entry.at)],
    [fields.timeUtc, new Date(entry.at).toISOString()],
    ...ownFields(entry, wording),
  ];
}

type Row = readonly [name: string, value: Html | string];

/** The new keys that an agency announced, and from when. */
function keyChangeFields(body: string, { language, texts }: Wording): Row[] {
  const change = requestOf(keyChangeSchema, body);
  if (change === undefined) return [];
  return [
    [texts.fields.identityKey, code(change.identityKey)],
    [texts.fields.previousIdentityKey, code(change.previousIdentityKey)],
    [texts.fields.from, timeText(language, change.from)],
  ];
}

function ownFields(entry: LogEntry, wording: Wording): Row[] {
  const { language, texts, names } = wording;
  const { fields } = texts;
  const number = (value: number): string => numberText(language, value);
  const yesNo = (value: boolean): string => (value ? texts.yes : texts.no);
  const agency = (id: string): Html => found(names.agency(id), 'agency', id);
  switch (entry.event) {
    case 'log-opened':
      return [
        [fields.federation, entry.federation],
        [fields.identityKey, code(entry.identityKey)],
        ...(entry.before === undefined ? [] : [[fields.before, code(entry.before)] as const]),
      ];
    case 'roster':
      return [
        [fields.version, number(entry.version)],
        [fields.changed, entry.changed.map((part) => texts.changes[part]).join(', ')],
        [fields.digest, code(entry.digest)],
      ];
    case 'policy':
    case 'members':
      return [
        [fields.version, number(entry.version)],
        [fields.signers, entry.signers.join(', ')],
        [fields.digest, code(entry.digest)],
      ];
    case 'agency-invited':
      return [
        [fields.agency, agency(entry.agency)],
        [fields.again, yesNo(entry.again)],
      ];
    case 'invitation-revoked':
      return [[fields.agency, agency(entry.agency)]];
    case 'agency-removed':
      return [
        [fields.agency, agency(entry.agency)],
        [fields.enrolled, yesNo(entry.enrolled)],
      ];
    case 'enrolment':
      return [
        [fields.agency, agency(entry.agency)],
        [fields.identityKey, code(entry.identityKey)],
      ];
    case 'registers':
      return [[fields.agency, agency(entry.agency)], ...registerFields(entry.body, wording)];
    case 'key-change':
      return [[fields.agency, agency(entry.agency)], ...keyChangeFields(entry.body, wording)];
    case 'tables':
      return [[fields.agency, agency(entry.agency)], ...tableFields(entry.body, wording)];
    case 'evaluation':
      return [
        [fields.agency, agency(entry.agency)],
        [fields.register, entry.register],
        [fields.elements, number(entry.elements)],
      ];
    case 'lookup':
    case 'canary':
      return [
        [fields.agency, agency(entry.agency)],
        [fields.lookupId, found(code(entry.lookupId), 'lookupId', entry.lookupId)],
        ...requestFields(lookupRequestOf(entry.body), wording),
      ];
    case 'answer':
      return [
        [fields.asker, agency(entry.agency)],
        [fields.lookupId, found(code(entry.lookupId), 'lookupId', entry.lookupId)],
        [fields.node, names.agency(entry.node)],
        [fields.outcome, statusText(texts, entry.outcome)],
        [fields.milliseconds, `${number(entry.milliseconds)} ms`],
        [fields.request, code(entry.request)],
        [fields.id, code(entry.id)],
      ];
    case 'lookup-refused':
    case 'evaluation-refused':
    case 'tables-refused':
    case 'registers-refused':
    case 'key-change-refused':
    case 'signal-refused':
    case 'review-refused':
      return [
        [fields.agency, agency(entry.agency)],
        ...ruleRow(entry.rule, wording),
        [fields.code, html`${statusText(texts, entry.code)} (${code(entry.code)})`],
        ...(entry.count === undefined ? [] : [[fields.count, number(entry.count)] as const]),
      ];
    case 'signal':
      return [
        [fields.agency, agency(entry.agency)],
        ...signalFields(entry, wording),
        [fields.id, code(entry.id)],
      ];
    case 'signal-reported':
      return [
        [fields.agency, agency(entry.agency)],
        ...signalFields(requestOf(signalReportSchema, entry.body), wording),
      ];
    case 'review':
      return [[fields.agency, agency(entry.agency)], ...reviewFields(entry.body, wording)];
    case 'witness-refused':
      return [
        [fields.witness, agency(entry.agency)],
        [fields.alarm, statusText(texts, entry.alarm)],
        [fields.size, number(entry.size)],
      ];
    case 'log-read':
      return [
        [fields.reader, entry.reader],
        [fields.reading, texts.readings[entry.reading]],
        [fields.detail, entry.detail],
        [fields.id, code(entry.id)],
      ];
    case 'access-refused':
      return [
        [fields.reader, entry.reader],
        [fields.path, entry.path],
        [fields.id, code(entry.id)],
      ];
  }
}

function requestFields(request: LookupRequest | undefined, { language, texts, names }: Wording): Row[] {
  if (request === undefined) return [];
  const { fields } = texts;
  const basis = names.legalBasis(request.purpose);
  const { professional, caseCommitment } = request;
  return [
    [fields.purpose, found(names.purpose(request.purpose), 'purpose', request.purpose)],
    ...(basis === undefined ? [] : [[fields.legalBasis, basis] as const]),
    [fields.persons, numberText(language, request.persons)],
    [fields.tokenTypes, request.tokenTypes.join(', ')],
    [fields.registers, request.registers.map((register) => names.register(register)).join(', ')],
    [fields.professional, found(code(professional), 'professional', professional)],
    [fields.caseCommitment, found(code(caseCommitment), 'caseCommitment', caseCommitment)],
    [fields.role, request.role],
    ...(request.statements.length === 0 ? [] : [[fields.statements, request.statements.join(', ')] as const]),
    ...(request.approval === undefined
      ? []
      : [
          [
            fields.approvedBy,
            html`${code(request.approval.professional)} (${request.approval.role})`,
          ] as const,
        ]),
    ...(request.breakGlass === true ? [[fields.breakGlass, texts.yes] as const] : []),
    ...(request.again === undefined
      ? []
      : [[fields.repeats, found(code(request.again), 'lookupId', request.again)] as const]),
    [fields.rosterVersion, numberText(language, request.rosterVersion)],
  ];
}

const ruleRow = (rule: string | undefined, { texts }: Wording): Row[] =>
  rule === undefined
    ? []
    : [[texts.fields.rule, html`${found(statusText(texts, rule), 'status', rule)} (${code(rule)})`]];

function signalFields(
  signal: Pick<SignalReport, 'professional' | 'signal' | 'count'> | undefined,
  { language, texts }: Wording,
): Row[] {
  if (signal === undefined) return [];
  const { fields } = texts;
  const { professional } = signal;
  return [
    [fields.signal, statusText(texts, signal.signal)],
    [fields.persons, numberText(language, signal.count)],
    [fields.professional, found(code(professional), 'professional', professional)],
  ];
}

function reviewFields(body: string, { texts }: Wording): Row[] {
  const review = requestOf(reviewSchema, body);
  if (review === undefined) return [];
  const { fields } = texts;
  return [
    [fields.lookupId, found(code(review.lookupId), 'lookupId', review.lookupId)],
    [fields.verdict, statusText(texts, review.verdict)],
    [fields.reviewer, code(review.reviewer)],
  ];
}

function registerFields(body: string, { texts }: Wording): Row[] {
  const update = requestOf(registersUpdateSchema, body);
  if (update === undefined) return [];
  return [[texts.fields.registersNow, update.registers.map(({ name }) => name).join(', ')]];
}

function tableFields(body: string, { language, texts }: Wording): Row[] {
  const commitment = requestOf(tableCommitmentSchema, body);
  if (commitment === undefined) return [];
  const { epoch, day, tables, logHead } = commitment;
  const { fields } = texts;
  return [
    [fields.epoch, `${numberText(language, epoch)} (${dayText(language, day)})`],
    [fields.tables, tables.map(({ register, tokenType }) => `${register}: ${tokenType}`).join(', ')],
    ...(logHead === undefined ? [] : [[fields.logHead, numberText(language, logHead.sequence)] as const]),
  ];
}

/** A value that leads to all entries that have it. */
const found = (text: Html | string, field: SearchField, value: string): Html =>
  link(text, searchPath({ [field]: value }));

import type { Html, Language, Names } from '@hitmachine/web';
import { badge, code, dayText, link, numberText, timeText } from '@hitmachine/web';
import type { LogRecord } from '../src/domain/own-log/log-records.ts';
import { purposeOf, statusOf } from '../src/domain/own-log/log-filter.ts';
import { EXPLANATIONS } from '../src/domain/asking/outcome.ts';
import { RULE_EXPLANATIONS } from '../src/domain/asking/rule-explanations.ts';
import type { SearchField } from './search-form.ts';
import type { Texts } from './texts/nl.ts';

/** What it takes to put a record in words. */
export interface Wording {
  readonly language: Language;
  readonly texts: Texts;
  readonly names: Names;
  /** The address of a search. */
  readonly searchPath: (values: Partial<Record<SearchField, string>>, before?: number) => string;
}

const dayOf = (time: number): string => new Date(time).toISOString().slice(0, 10);

/** When; of what lost its content, the day. */
export const whenOf = ({ kind, at }: LogRecord, language: Language): string =>
  kind === 'removed' ? dayText(language, dayOf(at)) : timeText(language, at);

/** Who asked or read. */
export function whoOf(record: LogRecord, { names }: Wording): string {
  switch (record.kind) {
    case 'asked':
      return record.detail.professional;
    case 'answered':
    case 'refused':
      return names.agency(record.detail.asker);
    case 'signal':
      return record.detail.side === 'asking' ? record.detail.who : names.agency(record.detail.who);
    case 'reviewed':
      return record.detail.by;
    case 'log-read':
    case 'access-refused':
      return record.detail.name ?? record.detail.reader;
    default:
      return '';
  }
}

/** What a record is about, in few words. */
export function summaryOf(record: LogRecord, { language, texts, names }: Wording): string {
  switch (record.kind) {
    case 'asked': {
      const { purpose, caseReference, subjects } = record.detail;
      return `${names.purpose(purpose)}: ${texts.persons(subjects.length)}, ${caseReference}`;
    }
    case 'answered':
    case 'refused':
      return `${names.purpose(record.detail.purpose)}: ${texts.persons(record.detail.persons)}`;
    case 'signal':
      return `${texts.signals[record.detail.signal]}: ${texts.persons(record.detail.count)}`;
    case 'reviewed':
      return `${record.detail.lookupId}: ${texts.verdicts[record.detail.verdict]}`;
    case 'log-read': {
      const { reading, what } = record.detail;
      return what === '' ? texts.readings[reading] : `${texts.readings[reading]} (${what})`;
    }
    case 'access-refused':
      return record.detail.path;
    case 'content-removed':
      return `${texts.fields.upTo} ${numberText(language, record.detail.upTo)}`;
    default:
      return '';
  }
}

export function statusBadge(record: LogRecord, texts: Texts): Html | string {
  if (record.kind === 'unreadable') return badge('error', texts.kinds.unreadable);
  const status = statusOf(record) as keyof Texts['statuses'] | undefined;
  if (status === undefined) return '';
  return badge(status === 'complete' || status === 'answered' ? 'ok' : 'warning', texts.statuses[status]);
}

/** The rule by which a question was refused, in words. */
export const ruleText = (rule: string, { language }: Pick<Wording, 'language'>): string =>
  (RULE_EXPLANATIONS as Readonly<Record<string, { readonly nl: string; readonly en: string }>>)[rule]?.[
    language
  ] ?? rule;

/** `known`, or `no-answer: timeout`, in words. */
export function outcomeText(outcome: string, { language, texts }: Wording): string {
  const [status = '', reason] = outcome.split(': ');
  const words = texts.outcomes[status] ?? status;
  if (reason === undefined) return words;
  const explanation = (
    EXPLANATIONS as Readonly<Record<string, { readonly nl: string; readonly en: string }>>
  )[reason];
  return `${words}: ${explanation?.[language] ?? reason}`;
}

type Row = readonly [name: string, value: Html | string];

/** All fields of a record with their names, in the order in which they are read. */
export function fieldsOf(record: LogRecord, wording: Wording): Row[] {
  const { language, texts } = wording;
  const { fields } = texts;
  return [
    [fields.event, texts.kinds[record.kind]],
    [record.kind === 'removed' ? fields.day : fields.time, whenOf(record, language)],
    ...ownFields(record, wording),
  ];
}

function ownFields(record: LogRecord, wording: Wording): Row[] {
  const { language, texts, names } = wording;
  const { fields } = texts;
  const number = (value: number): string => numberText(language, value);
  const found = (text: Html | string, field: SearchField, value: string): Html =>
    link(text, wording.searchPath({ [field]: value }));
  const purpose = purposeOf(record) ?? '';
  const basis = names.legalBasis(purpose);
  const why: Row[] = [
    [fields.purpose, found(names.purpose(purpose), 'purpose', purpose)],
    ...(basis === undefined ? [] : [[fields.legalBasis, basis] as const]),
  ];
  switch (record.kind) {
    case 'asked': {
      const { professional, role, approval, breakGlass, caseSystem, caseReference, subjects } = record.detail;
      return [
        [fields.professional, found(professional, 'professional', professional)],
        [fields.role, code(role)],
        ...(approval === undefined ? [] : [[fields.approval, approval.professional] as const]),
        ...(breakGlass === undefined ? [] : [[fields.need, breakGlass.reason] as const]),
        ...(caseSystem === undefined ? [] : [[fields.caseSystem, caseSystem] as const]),
        ...why,
        [fields.caseReference, found(caseReference, 'caseReference', caseReference)],
        [fields.persons, number(subjects.length)],
        [fields.nodes, record.nodes.map((id) => names.agency(id)).join(', ')],
        ...(record.lookupId === undefined ? [] : [[fields.lookupId, code(record.lookupId)] as const]),
        [fields.status, statusBadge(record, texts)],
        ...(record.failure === undefined ? [] : [[fields.failure, code(record.failure)] as const]),
      ];
    }
    case 'answered':
    case 'refused': {
      const { asker, persons, registers, epoch, reason } = record.detail;
      return [
        [fields.asker, found(names.agency(asker), 'agency', asker)],
        ...why,
        [fields.persons, number(persons)],
        [fields.registers, registers.join(', ')],
        [fields.lookupId, code(record.lookupId)],
        [fields.status, statusBadge(record, texts)],
        ...(reason === undefined ? [] : [[fields.reason, ruleText(reason, wording)] as const]),
        [fields.epoch, String(epoch)],
      ];
    }
    case 'signal':
      return [
        [record.detail.side === 'asking' ? fields.professional : fields.asker, whoOf(record, wording)],
        [fields.signal, texts.signals[record.detail.signal]],
        [fields.side, texts.sides[record.detail.side]],
        [fields.count, number(record.detail.count)],
      ];
    case 'reviewed':
      return [
        [fields.lookupId, found(code(record.detail.lookupId), 'lookupId', record.detail.lookupId)],
        [fields.verdict, texts.verdicts[record.detail.verdict]],
        [fields.by, record.detail.by],
      ];
    case 'log-read':
      return [
        [fields.reader, `${record.detail.name ?? ''} (${record.detail.reader})`.trim()],
        [fields.reading, texts.readings[record.detail.reading]],
        [fields.what, record.detail.what],
      ];
    case 'access-refused':
      return [
        [fields.reader, `${record.detail.name ?? ''} (${record.detail.reader})`.trim()],
        [fields.path, code(record.detail.path)],
      ];
    case 'content-removed':
      return [
        [fields.upTo, number(record.detail.upTo)],
        [fields.entries, number(record.detail.entries)],
        [fields.askedAbout, number(record.detail.askedAbout)],
        [fields.olderThan, dayText(language, record.detail.olderThan.slice(0, 10))],
      ];
    default:
      return [];
  }
}

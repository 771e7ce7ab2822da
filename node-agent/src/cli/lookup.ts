import { readFileSync } from 'node:fs';
import type { Purpose } from '@hitmachine/protocol';
import { HitError, SUBJECT_ACCESS_PURPOSE } from '@hitmachine/protocol';
import { askAgent } from './ask-agent.ts';
import { table } from './print.ts';
import type { Terminal } from './print.ts';

export interface LookupOptions {
  readonly purpose: string;
  /** Reference of the case. */
  readonly case: string;
  readonly professional: string;
  readonly role: string;
  /** Codes of the statements that are confirmed, or `all` alone. */
  readonly confirm?: readonly string[];
  readonly approvedBy?: string;
  readonly approverRole?: string;
  /** The reason for asking without the approval that the purpose wants. */
  readonly breakGlass?: string;
  readonly json: boolean;
}

const ALL = 'all';

interface Result {
  readonly purpose: { readonly code: string };
  readonly complete: boolean;
  readonly missing: readonly string[];
  readonly persons: readonly {
    readonly ref: string;
    readonly registers: readonly {
      readonly agency: { readonly name: string };
      readonly name: string;
      readonly status: string;
      readonly matchedOn?: readonly string[];
      readonly explanation?: { readonly nl: string };
      readonly contact?: { readonly name: string; readonly telephone?: string; readonly email?: string };
    }[];
    readonly notAsked: readonly {
      readonly agency: { readonly name: string };
      readonly name: string;
      readonly explanation: { readonly nl: string };
    }[];
  }[];
}

const WORDS: Readonly<Record<string, string>> = {
  known: '● bekend',
  'not-known': '· niet bekend',
  'no-answer': '? geen antwoord',
  refused: '✗ geweigerd',
  invalid: '! ongeldig antwoord',
};

/** At the registers of persons asked about, a status tells what the agency did. */
const MARKS: Readonly<Record<string, string>> = { known: '●', 'not-known': '·' };

const IDENTIFIERS: Readonly<Record<string, string>> = {
  bsn: 'BSN',
  'name+birthdate': 'naam en geboortedatum',
  address: 'adres',
};

/**
 * `hit-agent lookup`: asks through the running agent. Persons come from a file or standard input, never from the
 * command line, where every user of the machine could read them.
 */
export async function lookup(
  path: string,
  file: string,
  options: LookupOptions,
  terminal: Terminal,
): Promise<void> {
  const { purpose, professional, role, approvedBy, approverRole, breakGlass } = options;
  if ((approvedBy === undefined) !== (approverRole === undefined))
    throw new HitError('malformed', '--approved-by and --approver-role: give both, or neither');
  const persons = readPersons(file);
  const statements = await confirmed(path, purpose, options.confirm ?? [], terminal);
  const body = {
    purpose,
    caseReference: options.case,
    professional,
    role,
    statements,
    ...(approvedBy !== undefined && { approval: { professional: approvedBy, role: approverRole } }),
    ...(breakGlass !== undefined && { breakGlass: { reason: breakGlass } }),
    persons,
  };
  const result = (await askAgent(path, 'POST', '/v1/lookups', body)) as Result;
  terminal.out(options.json ? JSON.stringify(result, undefined, 2) : render(result));
}

/** The codes to confirm; for `all`, those of the purpose, after what is confirmed with them was shown. */
export async function confirmed(
  path: string,
  purpose: string,
  codes: readonly string[],
  terminal: Terminal,
): Promise<readonly string[]> {
  if (codes.join() !== ALL) return codes;
  const { purposes } = (await askAgent(path, 'GET', '/v1/roster')) as {
    readonly purposes: readonly Pick<Purpose, 'code' | 'statements'>[];
  };
  const { statements = [] } = purposes.find(({ code }) => code === purpose) ?? {};
  for (const { code, text } of statements) terminal.err(`U bevestigt (${code}): ${text.nl}\n`);
  return statements.map(({ code }) => code);
}

function readPersons(file: string): unknown {
  let text: string;
  try {
    text = readFileSync(file === '-' ? 0 : file, 'utf8');
  } catch (cause) {
    throw new HitError('malformed', `${file}: the file cannot be read`, { cause });
  }
  try {
    const value: unknown = JSON.parse(text);
    return Array.isArray(value) ? value : [value];
  } catch (cause) {
    throw new HitError(
      'malformed',
      `${file}: not JSON; give one person or a list, such as [{"bsn": "..."}]`,
      { cause },
    );
  }
}

function render(result: Result): string {
  const access = result.purpose.code === SUBJECT_ACCESS_PURPOSE;
  const parts = result.persons.map(({ ref, registers, notAsked }) => {
    const rows = registers.map((entry) => [
      (access ? MARKS[entry.status] : undefined) ?? WORDS[entry.status] ?? entry.status,
      entry.agency.name,
      access && entry.status in MARKS ? (entry.explanation?.nl ?? '') : entry.name,
      entry.status === 'known'
        ? [
            entry.contact?.name,
            entry.contact?.telephone ?? entry.contact?.email,
            `(op ${(entry.matchedOn ?? []).map((type) => IDENTIFIERS[type] ?? type).join(', ')})`,
          ]
            .filter(Boolean)
            .join(' ')
        : access && entry.status in MARKS
          ? ''
          : (entry.explanation?.nl ?? ''),
    ]);
    const others = notAsked.map(({ agency, name, explanation }) => [
      '- niet gevraagd',
      agency.name,
      name,
      explanation.nl,
    ]);
    return `Persoon ${ref}\n${table([...rows, ...others])}`;
  });
  const note = result.complete
    ? []
    : [
        `Niet alle registraties hebben geantwoord: "niet ${access ? 'gevraagd' : 'bekend'}" is dus niet het hele verhaal.`,
      ];
  const missing =
    result.missing.length === 0
      ? []
      : [`Niet meer op de deelnemerslijst, en dus niet bevraagd: ${result.missing.join(', ')}.`];
  return [...parts, ...missing, ...note].join('\n\n');
}

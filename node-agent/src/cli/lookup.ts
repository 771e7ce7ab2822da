import { readFileSync } from 'node:fs';
import { HitError, SUBJECT_ACCESS_PURPOSE } from '@hitmachine/protocol';
import { askAgent } from './ask-agent.ts';
import { table } from './print.ts';
import type { Terminal } from './print.ts';

interface Result {
  readonly lookupId: string;
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
  options: {
    readonly purpose: string;
    readonly caseReference: string;
    readonly professional: string;
    readonly json: boolean;
  },
  terminal: Terminal,
): Promise<void> {
  const persons = readPersons(file);
  const body = {
    purpose: options.purpose,
    caseReference: options.caseReference,
    professional: options.professional,
    persons,
  };
  const result = (await askAgent(path, 'POST', '/v1/lookups', body)) as Result;
  terminal.out(options.json ? JSON.stringify(result, undefined, 2) : render(result));
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
  const parts = result.persons.map(({ ref, registers }) => {
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
    return `Persoon ${ref}\n${table(rows)}`;
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

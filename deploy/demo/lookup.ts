import type { Resident, TokenType } from './population/index.ts';
import { DemoError } from './processes.ts';

/** A person as the agency's API takes it; only what the asker has. */
export type AskedPerson = { readonly ref: string } & Readonly<Record<string, unknown>>;

/** What the agency's API says about one person at one register. */
export interface RegisterAnswer {
  /** `agency/register` */
  readonly register: string;
  readonly status: string;
  readonly matchedOn: readonly string[];
  readonly reason: string | undefined;
  readonly contact: Readonly<Record<string, unknown>> | undefined;
}

export interface LookupAnswer {
  readonly complete: boolean;
  readonly persons: readonly { readonly ref: string; readonly registers: readonly RegisterAnswer[] }[];
  /** From the question to the whole answer, as the asking system sees it. */
  readonly milliseconds: number;
}

export const PURPOSE = 'casusoverleg-zvh';
export const CASE = 'ZVH-2026-0117';
export const PROFESSIONAL = 'j.jansen';
export const ROLE = 'process-director';
/** What the purpose wants to be confirmed: see policy.yaml. */
export const STATEMENTS = ['problemen', 'leefgebieden', 'overlast', 'domeinen'];
const PATIENCE_MS = 30_000;

/** A resident as a professional would type it in, with the tokens that he or she has. */
export function asked(person: Resident, ref: string, tokens: readonly TokenType[]): AskedPerson {
  const { bsn, surname, prefix, givenNames, birthDate, address } = person;
  const { postcode, houseNumber, houseLetter, houseNumberAddition } = address;
  return {
    ref,
    ...(tokens.includes('bsn') ? { bsn } : {}),
    ...(tokens.includes('name+birthdate')
      ? { name: { surname, ...(prefix === '' ? {} : { prefix }), givenNames }, birthDate }
      : {}),
    ...(tokens.includes('address')
      ? {
          address: {
            postcode,
            number: String(houseNumber),
            ...(houseLetter === '' ? {} : { letter: houseLetter }),
            ...(houseNumberAddition === '' ? {} : { addition: houseNumberAddition }),
          },
        }
      : {}),
  };
}

/** The body of `POST /v1/lookups`. */
export function lookupBody(persons: readonly AskedPerson[], purpose = PURPOSE): Record<string, unknown> {
  return {
    purpose,
    caseReference: CASE,
    professional: PROFESSIONAL,
    role: ROLE,
    statements: STATEMENTS,
    persons,
  };
}

/** Asks an agency's own API. Throws `DemoError` when it refuses, is away, or says what we cannot read. */
export async function lookUp(
  url: string,
  apiKey: string,
  persons: readonly AskedPerson[],
): Promise<LookupAnswer> {
  const started = performance.now();
  const { status, text } = await post(url, apiKey, lookupBody(persons));
  const milliseconds = performance.now() - started;
  if (status !== 200) throw new DemoError(`${url}/v1/lookups answered ${status}: ${text}`);
  return { ...readAnswer(text), milliseconds };
}

/** Asks for a purpose that must be refused: by which rule, and in which words; undefined when it was answered. */
export async function refusalFor(
  url: string,
  apiKey: string,
  persons: readonly AskedPerson[],
  purpose: string,
): Promise<{ readonly rule: string; readonly detail: string } | undefined> {
  const { status, text } = await post(url, apiKey, lookupBody(persons, purpose));
  if (status === 200) return undefined;
  const { rule, detail } = record(JSON.parse(text));
  return { rule: rule === undefined ? `none, status ${status}` : string(rule), detail: string(detail) };
}

async function post(
  url: string,
  apiKey: string,
  body: Record<string, unknown>,
): Promise<{ readonly status: number; readonly text: string }> {
  const response = await fetch(`${url}/v1/lookups`, {
    method: 'POST',
    headers: { authorization: `Bearer ${apiKey}`, 'content-type': 'application/json' },
    body: JSON.stringify(body),
    signal: AbortSignal.timeout(PATIENCE_MS),
  });
  return { status: response.status, text: await response.text() };
}

function readAnswer(text: string): Omit<LookupAnswer, 'milliseconds'> {
  try {
    const { complete, persons } = record(JSON.parse(text));
    if (typeof complete !== 'boolean') throw new TypeError('complete is not true or false');
    return {
      complete,
      persons: list(persons).map((person) => {
        const { ref, registers } = record(person);
        return { ref: string(ref), registers: list(registers).map(readRegister) };
      }),
    };
  } catch (error) {
    throw new DemoError(`an answer could not be read: ${(error as Error).message}`, { cause: error });
  }
}

function readRegister(value: unknown): RegisterAnswer {
  const { register, status, matchedOn, reason, contact } = record(value);
  return {
    register: string(register),
    status: string(status),
    matchedOn: matchedOn === undefined ? [] : list(matchedOn).map(string),
    reason: reason === undefined ? undefined : string(reason),
    contact: contact === undefined ? undefined : record(contact),
  };
}

function record(value: unknown): Record<string, unknown> {
  if (typeof value !== 'object' || value === null) throw new TypeError('an object was expected');
  return value as Record<string, unknown>;
}

function list(value: unknown): unknown[] {
  if (!Array.isArray(value)) throw new TypeError('a list was expected');
  return value as unknown[];
}

function string(value: unknown): string {
  if (typeof value !== 'string') throw new TypeError('a text was expected');
  return value;
}

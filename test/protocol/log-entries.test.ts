import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { LogEntry } from '@hitmachine/protocol';
import {
  HitError,
  decodeEntry,
  encodeBase64,
  encodeEntry,
  logEventSchema,
  utf8ToBytes,
} from '@hitmachine/protocol';

const text = (length: number): string => encodeBase64(new Uint8Array(length).fill(7));
const EVIDENCE = { base: text(90), signature: text(64) };
const ENTRIES: readonly LogEntry[] = [
  {
    ...{ at: 1_772_452_800_000, event: 'lookup', agency: 'gemeente', lookupId: text(16) },
    ...{ body: '{"persons":1,"note":"é\\n"}', evidence: EVIDENCE },
  },
  { at: 0, event: 'canary', agency: 'politie', lookupId: text(16), body: '', evidence: EVIDENCE },
  {
    ...{ at: 5, event: 'answer', id: text(16), agency: 'gemeente', lookupId: text(16), node: 'politie' },
    ...{ request: text(32), outcome: 'answered', milliseconds: 12 },
  },
  { at: 7, event: 'agency-invited', agency: 'gemeente', again: false },
];

/** What the schema alone says of a text: nearly all entries are read without it. */
function isAsItShouldBe(json: string): boolean {
  const { at, ...event } = JSON.parse(json) as { at?: unknown };
  const parsed = logEventSchema.safeParse(event);
  return (
    parsed.success &&
    Number.isSafeInteger(at) &&
    (at as number) >= 0 &&
    JSON.stringify({ at, ...parsed.data }) === json
  );
}

function reads(json: string): boolean {
  try {
    decodeEntry(utf8ToBytes(json));
    return true;
  } catch (error) {
    expect(error).toBeInstanceOf(HitError);
    expect(['malformed', 'field-invalid']).toContain((error as HitError).code);
    return false;
  }
}

describe('entries of the log', () => {
  it.each(ENTRIES)('$event: reads what was written', (entry) => {
    expect(decodeEntry(encodeEntry(entry))).toEqual(entry);
  });

  it('reads what the schema lets through, and nothing else', () => {
    const value = fc.oneof(
      fc.jsonValue({ maxDepth: 1 }),
      fc.constantFrom(text(16), text(32), text(64), 'answered', 'lookup', 'answer', 'canary', 1e300, -1, 0.5),
      fc.constantFrom<unknown>({ ...EVIDENCE, more: 1 }, { base: EVIDENCE.base }, { ...EVIDENCE, base: '+' }),
    );
    const field = fc.constantFrom(...ENTRIES.flatMap((entry) => Object.keys(entry)), 'more', '__proto__');
    let refused = 0;
    fc.assert(
      fc.property(fc.constantFrom(...ENTRIES), field, value, (entry, name, other) => {
        const json = JSON.stringify(Object.fromEntries([...Object.entries(entry), [name, other]]));
        expect(reads(json)).toBe(isAsItShouldBe(json));
        if (!isAsItShouldBe(json)) refused++;
      }),
      { numRuns: 1_000 },
    );
    expect(refused).toBeGreaterThan(500);
  });

  it.each([
    ['fields in another order', (json: string) => json.replace(/^\{("at":\d+),(.*)\}$/, '{$2,$1}')],
    ['a space', (json: string) => json.replace(',', ', ')],
    ['a letter that is escaped', (json: string) => json.replace('gemeente', '\\u0067emeente')],
    ['a field twice', (json: string) => json.replace('{', '{"at":1,')],
    ['something behind it', (json: string) => `${json}\n`],
    ['no object', () => 'null'],
    ['a list', () => '[]'],
  ])('refuses %s', (_, change) => {
    for (const entry of ENTRIES.slice(0, 3)) {
      const json = change(JSON.stringify(entry));
      if (json !== JSON.stringify(entry)) expect(reads(json)).toBe(false);
    }
  });
});

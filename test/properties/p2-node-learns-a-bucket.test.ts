import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Backend, Question } from '@hitmachine/protocol';
import { MAX_PREFIX_BITS, bitsPerPerson, decodeBase64, loadSodium, makeQuestion } from '@hitmachine/protocol';
import type { TestPerson } from '../harness/agency.ts';
import type { Federation } from '../harness/federation.ts';
import { deliveriesTo, nodeView } from './support/views.ts';
import { KNOWN, NAMELESS_NUMBER, UNKNOWN, startWaalstad, validNumbers } from './support/waalstad.ts';

const NODES = ['politie/incidenten', 'politie/zorgmeldingen', 'reclassering/toezicht'];

/** A question without its random elements: what is left may tell at most the bits of the bucket numbers. */
function withoutElements(question: Question): unknown {
  return {
    elements: question.elements.map(({ tokenType, elements }) => [tokenType, elements.length]),
    registers: question.registers.map(({ register, columns }) => ({
      register,
      columns: columns.map(({ tokenType, bits, buckets: numbers }) => ({
        tokenType,
        bits,
        numbers: numbers.length,
      })),
    })),
  };
}

/** The longest prefix of each person's bucket hash, by token type, that nodes hold who put their heads together. */
function bitsShown(questions: readonly Question[]): { longest: Map<string, number>; nested: boolean } {
  const longest = new Map<string, { bits: number; numbers: readonly number[] }>();
  let nested = true;
  for (const { registers } of questions)
    for (const { columns } of registers)
      for (const { tokenType, bits, buckets } of columns) {
        const held = longest.get(tokenType) ?? { bits, numbers: buckets };
        const [short, long] =
          bits < held.bits ? [{ bits, numbers: buckets }, held] : [held, { bits, numbers: buckets }];
        nested &&= short.numbers.every(
          (number, i) => number === long.numbers[i]! >>> (long.bits - short.bits),
        );
        longest.set(tokenType, long);
      }
  return {
    longest: new Map([...longest].map(([type, { bits, numbers }]) => [type, bits * numbers.length])),
    nested,
  };
}

const total = (longest: ReadonlyMap<string, number>): number =>
  [...longest.values()].reduce((sum, bits) => sum + bits, 0);

describe('P2: a node learns that somebody was asked about, and at most ten bits of a bucket number', () => {
  let federation: Federation;
  let backend: Backend;

  beforeAll(async () => {
    backend = await loadSodium();
    // Enough clients for tables with several buckets.
    federation = await startWaalstad(
      {},
      validNumbers(200_000_000, 600).map((bsn) => ({ bsn })),
    );
  }, 120_000);
  afterAll(() => federation.close());

  /** What both nodes see of one lookup. The asker is restarted, so that its questions bring their openings. */
  async function views(persons: readonly TestPerson[]): Promise<Question[]> {
    const asker = federation.agency('vragen');
    await asker.stop();
    await asker.start();
    await asker.ready();
    const from = federation.tap!.heard.length;
    await asker.lookup(persons, { registers: NODES });
    const heard = federation.tap!.heard.slice(from);
    const { agencies } = (await asker.call('GET', '/v1/roster')) as { agencies: { id: string }[] };
    expect(agencies.map(({ id }) => id)).toContain('vragen');
    const askerKey = await identityOf(asker.id);
    const seen: Question[] = [];
    for (const node of ['politie', 'reclassering'])
      for (const delivery of deliveriesTo(heard, node)) {
        const view = await nodeView(federation.agency(node), backend, delivery, askerKey);
        if (view.ticket.asker === 'vragen') seen.push(view.question);
      }
    expect(seen.length).toBe(2);
    return seen;
  }

  async function identityOf(id: string): Promise<Uint8Array> {
    const response = await fetch(`${federation.gatewayUrl}/v1/roster`);
    const { roster } = (await response.json()) as { roster: { payload: string } };
    const payload = JSON.parse(Buffer.from(roster.payload, 'base64url').toString()) as {
      agencies: { id: string; identityKey: string }[];
    };
    return decodeBase64(payload.agencies.find((agency) => agency.id === id)!.identityKey);
  }

  it('sees the same for every person, apart from random elements and the bits of the bucket numbers', async () => {
    const [known, unknown, byName] = [
      await views([KNOWN]),
      await views([UNKNOWN]),
      await views([NAMELESS_NUMBER]),
    ];
    const bare = (questions: readonly Question[]): unknown[] => questions.map(withoutElements);
    expect(bare(unknown)).toEqual(bare(known));
    expect(bare(byName)).toEqual(bare(known));
  });

  it('holds at most ten bits of a person, also when all nodes put everything together', async () => {
    const { longest, nested } = bitsShown(await views([KNOWN]));
    expect(nested).toBe(true);
    expect(total(longest)).toBeGreaterThan(0);
    expect(total(longest)).toBeLessThanOrEqual(MAX_PREFIX_BITS);
  });

  it('holds no more bits of a household than of one person, so that it cannot try its own households', async () => {
    const alone = bitsShown(await views([KNOWN]));
    const household = bitsShown(await views([KNOWN, UNKNOWN, NAMELESS_NUMBER, UNKNOWN]));
    for (const [type, bits] of household.longest) expect(bits).toBeLessThanOrEqual(alone.longest.get(type)!);
  });

  it('would be caught otherwise: full bits for every token type, register or member of a household', () => {
    const lookup = {
      tokenTypes: ['bsn', 'name+birthdate'],
      hashes: [[0xabcd, 0x1234]],
      persons: [new Map()],
    };
    const make = (registers: Parameters<typeof makeQuestion>[1]): Question =>
      makeQuestion(
        {
          ...lookup,
          unblinders: [],
          unblinded: [],
          elements: new Uint8Array(64),
          evaluated: new Uint8Array(64),
        },
        registers,
      );
    const greedy = make([{ register: 'a', tableBits: { bsn: 10, 'name+birthdate': 10 } }]);
    expect(total(bitsShown([greedy]).longest)).toBeGreaterThan(MAX_PREFIX_BITS);
    const telling = make([{ register: 'a', tableBits: { bsn: 10 } }]);
    expect(withoutElements(telling)).not.toEqual(withoutElements(greedy));
    const honest = make([{ register: 'a', tableBits: { bsn: 6 } }]);
    const unrelated: Question = {
      ...honest,
      registers: [{ register: 'b', columns: [{ tokenType: 'bsn', bits: 4, buckets: [3] }] }],
    };
    expect(bitsShown([honest, unrelated]).nested).toBe(false);
    expect(4 * 5).toBeGreaterThan(bitsPerPerson(5, 4) * 4);
  });
});

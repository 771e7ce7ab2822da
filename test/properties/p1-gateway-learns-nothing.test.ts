import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Suite } from '@hitmachine/protocol';
import { createSuite, loadSodium, prepareLookup, tokensOf } from '@hitmachine/protocol';
import type { TestPerson } from '../harness/agency.ts';
import { knownAt } from '../harness/agency.ts';
import type { Federation } from '../harness/federation.ts';
import type { Heard } from '../harness/tap.ts';
import { elementsIn, shapeOf } from './support/views.ts';
import { KNOWN, NAMELESS_NUMBER, UNKNOWN, startWaalstad } from './support/waalstad.ts';

const NODES = ['politie/incidenten', 'reclassering/toezicht'];

describe('P1: the gateway learns no bit about the person, and not whether there was a hit', () => {
  let federation: Federation;

  beforeAll(async () => {
    federation = await startWaalstad();
    // The first question opens the sessions; from then on every lookup looks alike.
    await federation.agency('vragen').lookup([UNKNOWN], { registers: NODES });
  });
  afterAll(() => federation.close());

  /** Everything that went to and from the gateway during one lookup. */
  async function heardDuring(persons: readonly TestPerson[]): Promise<{ heard: Heard[]; hits: string[] }> {
    const from = federation.tap!.heard.length;
    const result = await federation.agency('vragen').lookup(persons, { registers: NODES });
    return { heard: federation.tap!.heard.slice(from), hits: knownAt(result) };
  }

  it('receives the same, apart from random bytes, whoever is asked about and whatever comes out', async () => {
    const hit = await heardDuring([KNOWN]);
    const miss = await heardDuring([UNKNOWN]);
    const byName = await heardDuring([NAMELESS_NUMBER]);
    expect([hit.hits, miss.hits, byName.hits]).toEqual([NODES, [], NODES]);
    expect(shapeOf(hit.heard).length).toBe(4);
    expect(sorted(shapeOf(miss.heard))).toEqual(sorted(shapeOf(hit.heard)));
    expect(sorted(shapeOf(byName.heard))).toEqual(sorted(shapeOf(hit.heard)));
  });

  it('receives the same for households of which other members are known', async () => {
    const one = await heardDuring([KNOWN, UNKNOWN, UNKNOWN]);
    const other = await heardDuring([UNKNOWN, NAMELESS_NUMBER, KNOWN]);
    expect(sorted(shapeOf(other.heard))).toEqual(sorted(shapeOf(one.heard)));
  });

  it('never receives the same element twice, so that it cannot see that a person is asked about again', async () => {
    const seen = new Set<string>();
    for (let i = 0; i < 8; i++)
      for (const element of elementsIn((await heardDuring([KNOWN])).heard)) seen.add(element);
    expect(seen.size).toBe(8 * 2);
  });

  it('would be caught otherwise: an asker that blinds badly, or tells which identifiers it has', async () => {
    const suite = createSuite('voprf', await loadSodium());
    expect(elementsOf(suite, KNOWN, () => new Uint8Array(64).fill(7))).toEqual(
      elementsOf(suite, KNOWN, () => new Uint8Array(64).fill(7)),
    );
    const { heard } = await heardDuring([KNOWN]);
    const careless = heard.map((message) =>
      message.what === 'POST /v1/lookups' && message.direction === 'to-gateway'
        ? withoutPadding(message)
        : message,
    );
    expect(sorted(shapeOf(careless))).not.toEqual(sorted(shapeOf(heard)));
  });
});

/** Replies of two nodes come in any order. */
const sorted = (shape: readonly unknown[]): string[] => shape.map((part) => JSON.stringify(part)).sort();

function elementsOf(suite: Suite, { bsn }: TestPerson, random: (length: number) => Uint8Array): Uint8Array {
  return prepareLookup(suite, [tokensOf({ bsn }, ['bsn'])], ['bsn'], random).elements;
}

/** What an asker would send that leaves out the token types that a person lacks. */
function withoutPadding(message: Heard): Heard {
  const request = JSON.parse(new TextDecoder().decode(message.bytes)) as {
    elements: string;
    tokenTypes: string[];
  };
  const elements = Buffer.from(request.elements, 'base64url').subarray(0, 32).toString('base64url');
  const bytes = new TextEncoder().encode(JSON.stringify({ ...request, elements, tokenTypes: ['bsn'] }));
  return { ...message, bytes };
}

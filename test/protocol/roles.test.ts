import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  answerKey,
  blindBatch,
  bucketMaskKey,
  bytesToHex,
  createSuite,
  encodeToken,
  evaluateElements,
  finishBatch,
  maskBucketHash,
  noble,
  prepareLookup,
  proveEvaluation,
  splitElements,
  tagPrefix,
  takeEvaluation,
} from '@hitmachine/protocol';
import type { Description, RegisterModel } from './parties.ts';
import {
  NODE,
  TOKEN_TYPES,
  buildEpoch,
  evaluateLookup,
  expectedResults,
  gatewayKeys,
  importTokens,
  lookUp,
  nodeKey,
  tokensOfPerson,
} from './parties.ts';
import { BACKENDS, expectCode, scalarOf, seeded, suite } from './support.ts';

const REGISTERS: readonly RegisterModel[] = [
  {
    register: 'aandacht',
    tokenTypes: ['bsn', 'name+birthdate'],
    clients: [{ bsn: '1', 'name+birthdate': 'ven' }, { bsn: '2' }, { 'name+birthdate': 'groot' }],
  },
  { register: 'aangiften', tokenTypes: ['bsn'], clients: [{ bsn: '2' }, { bsn: '3' }] },
  { register: 'strafrecht', tokenTypes: ['skn'], clients: [{ skn: 'x' }] },
  { register: 'leeg', tokenTypes: ['bsn'], clients: [] },
];
const PERSONS: readonly Description[] = [
  { bsn: '1', 'name+birthdate': 'ven' },
  { bsn: '2', 'name+birthdate': 'onbekend' },
  { 'name+birthdate': 'groot', skn: 'x' },
  { bsn: '9' },
  { skn: 'y' },
];

describe.each(BACKENDS)('import, tables, lookup and answer on $name', (backend) => {
  const own = createSuite('voprf', backend);
  const epoch = buildEpoch(own, REGISTERS, 1);

  test('five persons at four registers, some without a token', () => {
    const results = lookUp(own, REGISTERS, epoch, PERSONS);
    expect(results).toEqual(expectedResults(REGISTERS, PERSONS));
    expect(results[0]).toMatchObject({
      persons: [
        { status: 'known', matchedOn: ['bsn', 'name+birthdate'], comparedOn: ['bsn', 'name+birthdate'] },
        { status: 'known', matchedOn: ['bsn'], comparedOn: ['bsn', 'name+birthdate'] },
        { status: 'known', matchedOn: ['name+birthdate'] },
        { status: 'not-known', comparedOn: ['bsn'] },
        { status: 'no-common-token' },
      ],
    });
  });

  test('what one backend imported, the other finds', () => {
    for (const other of BACKENDS)
      expect(lookUp(createSuite('voprf', other), REGISTERS, epoch, PERSONS.slice(0, 2), 'mixed')).toEqual(
        expectedResults(REGISTERS, PERSONS.slice(0, 2)),
      );
  });
});

describe('answers equal a plain comparison', () => {
  const values = fc.constantFrom('a', 'b', 'c', 'd');
  const person: fc.Arbitrary<Description> = fc.record(
    { bsn: values, 'name+birthdate': values, skn: values },
    { requiredKeys: [] },
  );
  const types = fc.subarray([...TOKEN_TYPES], { minLength: 1 });
  const registers = fc.uniqueArray(
    fc.record({
      register: fc.constantFrom('een', 'twee', 'drie'),
      tokenTypes: types,
      clients: fc.array(person, { maxLength: 4 }),
    }),
    { selector: ({ register }) => register, minLength: 1, maxLength: 3 },
  );

  test('for any registers and persons', () => {
    fc.assert(
      fc.property(
        registers,
        fc.array(person, { minLength: 1, maxLength: 4 }),
        fc.nat(1_000),
        (models, persons, number) => {
          const epoch = buildEpoch(suite, models, number);
          expect(lookUp(suite, models, epoch, persons)).toEqual(expectedResults(models, persons));
        },
      ),
      { numRuns: 25 },
    );
  });

  test('with bucket numbers, too', () => {
    const epoch = buildEpoch(suite, REGISTERS, 3, 700);
    expect(epoch.tables.get('aandacht bsn')?.table.bits).toBe(2);
    expect(lookUp(suite, REGISTERS, epoch, PERSONS)).toEqual(expectedResults(REGISTERS, PERSONS));
  });
});

describe('import', () => {
  const tokens = ['1', '2', '1'].map((bsn) => encodeToken('person', 'bsn', [bsn]));
  const batch = blindBatch(suite, tokens, seeded('batch'));
  const evaluated = evaluateElements(suite, gatewayKeys.secretKey, batch.elements);
  const proof = proveEvaluation(suite, gatewayKeys, batch.elements, evaluated, seeded('batch proof'));
  const finish = (change: { evaluated?: Uint8Array; proof?: Uint8Array; key?: Uint8Array }) =>
    finishBatch(
      suite,
      change.key ?? gatewayKeys.publicKey,
      nodeKey,
      batch,
      change.evaluated ?? evaluated,
      change.proof ?? proof,
    );

  test('a token always becomes the same pseudonym, though its blinding differs', () => {
    const [first, second, third] = finish({});
    expect(first).toEqual(third);
    expect(first?.element).not.toEqual(second?.element);
    expect(importTokens(suite, tokens, 'another day')).toEqual(finish({}));
    const elements = splitElements(batch.elements).map(bytesToHex);
    expect(new Set(elements).size).toBe(3);
  });

  test('an evaluation under another key never gets into a register', () => {
    const wrong = evaluateElements(suite, scalarOf('wrong'), batch.elements);
    const keys = {
      secretKey: scalarOf('wrong'),
      publicKey: suite.backend.group.multiplyBase(scalarOf('wrong')),
    };
    const wrongProof = proveEvaluation(suite, keys, batch.elements, wrong, seeded('wrong proof'));
    expectCode(() => finish({ evaluated: wrong }), 'proof-invalid');
    expectCode(() => finish({ evaluated: wrong, proof: wrongProof }), 'proof-invalid');
    expectCode(() => finish({ proof: new Uint8Array(64) }), 'proof-invalid');
    expectCode(() => finish({ key: keys.publicKey }), 'proof-invalid');
  });

  test('replies in another order, or fewer, are refused', () => {
    const parts = splitElements(evaluated);
    const swapped = Uint8Array.of(...(parts[1] ?? []), ...(parts[0] ?? []), ...(parts[2] ?? []));
    expectCode(() => finish({ evaluated: swapped }), 'proof-invalid');
    expectCode(() => finish({ evaluated: evaluated.slice(32) }), 'malformed');
    expectCode(() => finish({ evaluated: evaluated.slice(1) }), 'malformed');
    expectCode(() => finish({ evaluated: new Uint8Array(96) }), 'proof-invalid');
  });

  test('a stored bucket hash is masked, and unmasks to itself', () => {
    const maskKey = bucketMaskKey(nodeKey);
    fc.assert(
      fc.property(fc.nat(0xffff), fc.uint8Array({ minLength: 32, maxLength: 32 }), (hash, element) => {
        const masked = maskBucketHash(maskKey, element, hash);
        expect(masked).toBeLessThanOrEqual(0xffff);
        expect(maskBucketHash(maskKey, element, masked)).toBe(hash);
      }),
    );
    const [pseudonym] = finish({});
    const other = bucketMaskKey(scalarOf('another node'));
    expect(maskBucketHash(maskKey, pseudonym?.element as Uint8Array, 0)).not.toBe(
      maskBucketHash(other, pseudonym?.element as Uint8Array, 0),
    );
  });
});

describe('what leaves an asker', () => {
  test('does not tell which tokens it has of whom', () => {
    const shapes = [[{}], [{ bsn: '1' }], [{ bsn: '1', 'name+birthdate': 'x', skn: 'y' }]].map(
      (persons) =>
        prepareLookup(suite, persons.map(tokensOfPerson), TOKEN_TYPES, seeded('shape')).elements.length,
    );
    expect(new Set(shapes)).toEqual(new Set([32 * TOKEN_TYPES.length]));
  });

  test('is another each time, also for the same person', () => {
    const random = seeded('fresh');
    const elements = Array.from({ length: 5 }, () =>
      splitElements(prepareLookup(suite, [tokensOfPerson({ bsn: '1' })], TOKEN_TYPES, random).elements).map(
        bytesToHex,
      ),
    ).flat();
    expect(new Set(elements).size).toBe(5 * TOKEN_TYPES.length);
  });

  test('a wrong evaluation is refused where a proof is asked for', () => {
    const prepared = prepareLookup(suite, [tokensOfPerson({ bsn: '1' })], TOKEN_TYPES, seeded('proof'));
    const wrong = evaluateElements(suite, scalarOf('wrong'), prepared.elements);
    const proof = proveEvaluation(suite, gatewayKeys, prepared.elements, wrong, seeded('nonce'));
    expectCode(
      () => takeEvaluation(suite, prepared, wrong, { gatewayKey: gatewayKeys.publicKey, proof }),
      'proof-invalid',
    );
    expectCode(() => takeEvaluation(suite, prepared, wrong.slice(32)), 'malformed');
    expectCode(() => takeEvaluation(suite, prepared, new Uint8Array(wrong.length)), 'element-invalid');
  });
});

describe('epochs', () => {
  test('a table of one epoch answers no question of the next', () => {
    const [today, tomorrow] = [buildEpoch(suite, REGISTERS, 1), buildEpoch(suite, REGISTERS, 2)];
    const stale = { ...tomorrow, register: (id: string) => today.register(id) };
    expectCode(() => lookUp(suite, REGISTERS, stale, PERSONS), 'log-proof-invalid');
    // A node that committed to them for tomorrow gains nothing either.
    const committed = { ...today.committed, epoch: tomorrow.epoch };
    for (const result of lookUp(suite, REGISTERS, { ...stale, committed }, PERSONS))
      if ('persons' in result) for (const person of result.persons) expect(person.status).not.toBe('known');
    for (const [name, { table }] of today.tables)
      expect(tomorrow.tables.get(name)?.table.bytes).not.toEqual(table.bytes);
  });

  test('an evaluation for one register or token type is worthless for another', () => {
    const scope = { agency: NODE, register: 'a', tokenType: 'bsn', epoch: 1 };
    const others = [
      { ...scope, agency: 'reclassering' },
      { ...scope, register: 'b' },
      { ...scope, tokenType: 'skn' },
      { ...scope, epoch: 2 },
      // Text must not move from one part to the next.
      { ...scope, register: 'ab', tokenType: 'sn' },
    ];
    const keys = [scope, ...others].map((each) => bytesToHex(answerKey(suite, nodeKey, each)));
    expect(new Set(keys).size).toBe(keys.length);
    const prefixes = [scope, ...others].map((each) => bytesToHex(tagPrefix(each)));
    expect(new Set(prefixes).size).toBe(prefixes.length);
  });

  test('bucket hashes are the same on both backends and in every lookup', () => {
    const persons = PERSONS.map(tokensOfPerson);
    const first = evaluateLookup(suite, persons, 'first');
    const second = evaluateLookup(createSuite('voprf', noble), persons, 'second');
    persons.forEach((tokens, person) => {
      TOKEN_TYPES.forEach((type, i) => {
        if (tokens.has(type)) expect(first.hashes[person]?.[i]).toBe(second.hashes[person]?.[i]);
      });
    });
  });
});

import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { LIMITS } from '@hitmachine/protocol';
import { MARK, TestApi, body, known, problemOf } from './support/api.ts';

describe("what the agency's own API does not take", () => {
  let api: TestApi;

  beforeAll(async () => {
    api = await TestApi.open();
  });

  afterAll(() => api.node.close());

  it('takes JSON alone, and says what is wrong with the rest', async () => {
    for (const type of ['text/plain', 'application/x-www-form-urlencoded', 'multipart/form-data; boundary=x'])
      expect((await problemOf(await api.post(body(), { 'content-type': type }))).code).toBe(
        'unsupported-media-type',
      );
    const none = await api.call('/v1/lookups', { method: 'POST', body: new Uint8Array(Buffer.from('{}')) });
    expect((await problemOf(none)).status).toBe(415);
    expect((await api.post(body(), { 'content-type': 'Application/JSON; charset=utf-8' })).status).toBe(200);
    for (const broken of ['{', '', '{"persons": [{"bsn": "123456782"}', `{"${MARK}`, 'nul']) {
      const problem = await problemOf(await api.post(broken));
      expect(problem.code).toBe('malformed');
      expect(JSON.stringify(problem)).not.toMatch(/123456782|merkteken/);
    }
    for (const other of ['null', '[]', '"text"', '1'])
      expect((await problemOf(await api.post(other))).status).toBe(400);
  });

  it('refuses a body that is too large, also one that does not say how long it is', async () => {
    const large = JSON.stringify(body({ caseReference: 'x'.repeat(LIMITS.jsonBytes) }));
    const told = await api.post(large, { 'content-length': String(large.length) });
    expect((await problemOf(told)).code).toBe('body-too-large');
    expect(told.status).toBe(413);
    const streamed = await api.call('/v1/lookups', {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: new Blob([large]).stream(),
      duplex: 'half',
    });
    expect((await problemOf(streamed)).code).toBe('body-too-large');
  });

  const wrongs: [string, object, string[], string][] = [
    ['no persons', { persons: [] }, ['persons'], 'field-invalid'],
    [
      'too many persons',
      { persons: Array.from({ length: 33 }, () => ({ bsn: known })) },
      ['persons'],
      'field-invalid',
    ],
    [
      'a number that is one digit off',
      { persons: [{ bsn: known }, { bsn: '123456789' }] },
      ['persons.1.bsn'],
      'bsn-invalid',
    ],
    ['a number as a JSON number', { persons: [{ bsn: 123456782 }] }, ['persons.0.bsn'], 'field-invalid'],
    ['a person without anything', { persons: [{}] }, ['persons.0'], 'person-without-token'],
    [
      'a name without a birth date',
      { persons: [{ name: { surname: MARK } }] },
      ['persons.0.birthDate'],
      'person-without-token',
    ],
    [
      'a birth date without a name',
      { persons: [{ birthDate: '1990-01-01' }] },
      ['persons.0.name'],
      'person-without-token',
    ],
    [
      'a birth date that is none',
      { persons: [{ name: { surname: MARK }, birthDate: '31-02-1990' }] },
      ['persons.0.birthDate'],
      'birth-date-invalid',
    ],
    [
      'a birth date in the future',
      { persons: [{ bsn: known }, { name: { surname: MARK }, birthDate: '01-01-2199' }] },
      ['persons.1.birthDate'],
      'birth-date-invalid',
    ],
    [
      'a reference twice',
      { persons: [{ ref: MARK, bsn: known }, { bsn: known }, { ref: ` ${MARK} `, bsn: known }] },
      ['persons.2.ref'],
      'field-invalid',
    ],
    [
      'a reference that is the number of another person',
      { persons: [{ ref: '3', bsn: known }, { bsn: known }, { bsn: known }] },
      ['persons.0.ref'],
      'field-invalid',
    ],
    [
      'a reference that is the number of a person before',
      { persons: [{ bsn: known }, { ref: '1', bsn: known }] },
      ['persons.1.ref'],
      'field-invalid',
    ],
    [
      'several kinds of mistakes',
      { persons: [{ bsn: '123456789', address: { postcode: MARK, number: '12' } }] },
      ['persons.0.bsn', 'persons.0.address.postcode'],
      'field-invalid',
    ],
    [
      'a field that is not known',
      { persons: [{ bsn: known, shoesize: MARK }] },
      ['persons.0'],
      'field-invalid',
    ],
    ['a field that is not known at the top', { reason: MARK }, ['(body)'], 'field-invalid'],
    ['a name that is a text', { persons: [{ name: MARK }] }, ['persons.0.name'], 'field-invalid'],
    [
      'a token type that is not known',
      { persons: [{ identifiers: { [MARK]: MARK } }] },
      ['persons.0.identifiers'],
      'field-invalid',
    ],
    ['an unknown purpose', { purpose: MARK }, ['purpose'], 'unknown-purpose'],
    ['the purpose of the canary', { purpose: 'canary' }, ['purpose'], 'unknown-purpose'],
    ['no purpose', { purpose: undefined }, ['purpose'], 'field-invalid'],
    ['an empty case reference', { caseReference: '   ' }, ['caseReference'], 'field-invalid'],
    [
      'an unknown register',
      { registers: ['politie/incidenten', `${MARK}/x`] },
      ['registers.1'],
      'unknown-register',
    ],
    [
      'a register twice',
      { registers: ['politie/incidenten', 'politie/incidenten'] },
      ['registers.1'],
      'unknown-register',
    ],
    ['no registers', { registers: [] }, ['registers'], 'field-invalid'],
  ];

  it('takes references that differ, a number in its own place among them', async () => {
    const persons = [{ ref: '1', bsn: known }, { bsn: known }, { ref: 'kind', bsn: known }];
    const response = await api.post(body({ persons }));
    expect(response.status).toBe(200);
    const { persons: answered } = (await response.json()) as { persons: { ref: string }[] };
    expect(answered.map(({ ref }) => ref)).toEqual(['1', '2', 'kind']);
  });

  it('says what would do for a person without anything', async () => {
    const problem = await problemOf(await api.post(body({ persons: [{ bsn: known }, {}] })));
    expect(problem.fields).toEqual([
      {
        field: 'persons.1',
        detail:
          'nothing to find this person by; give bsn; or name (or surname) and birthDate; or postcode and house number',
      },
    ]);
  });

  it.each(wrongs)('refuses %s, names the field and repeats nothing', async (_, change, fields, code) => {
    const before = api.gateway.deliveries.length;
    const problem = await problemOf(await api.post(body(change)));
    expect(problem.code).toBe(code);
    expect(problem.status).toBe(400);
    expect(problem.fields?.map(({ field }) => field)).toEqual(fields);
    expect(problem.detail.length).toBeGreaterThan(5);
    expect(JSON.stringify(problem)).not.toMatch(/merkteken|123456789|123456782|31-02-1990/);
    expect(api.gateway.deliveries.length).toBe(before);
  });
});

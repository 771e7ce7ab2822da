import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import {
  decodeBase64,
  encodeBase64,
  enrolmentRequestSchema,
  evaluationRequestSchema,
  evaluationResponseSchema,
  lookupOpenedSchema,
  lookupRequestSchema,
  openDocument,
  openRosterPayload,
  parseJson,
  parseValue,
  policySchema,
  registersUpdateSchema,
  rosterSchema,
  signDocument,
  signedDocumentSchema,
  utf8ToBytes,
} from '@hitmachine/protocol';
import { exampleRoster } from '../../protocol/vectors/subjects/documents.ts';
import { BACKENDS, acceptsOrRefuses, errorOf, expectCode, seeded, sodium } from './support.ts';

const seed = seeded('document identity')(32);
const key = { keyId: 'gateway', publicKey: sodium.signatures.publicKey(seed) };
/** Not z.json(), which leaves out a member that is called __proto__. */
const anything = z.unknown();

describe('signed documents', () => {
  test('any JSON value survives, on both backends', () => {
    fc.assert(
      fc.property(
        fc.jsonValue({ noUnicodeString: false }),
        fc.constantFrom(...BACKENDS),
        (value, backend) => {
          const document = signDocument(backend, 'roster', value, { keyId: 'gateway', seed });
          expect(signedDocumentSchema.parse(document)).toEqual(document);
          const opened = openDocument(backend, 'roster', anything, document, key);
          expect(JSON.stringify(opened)).toBe(JSON.stringify(value));
        },
      ),
    );
  });

  test('any changed byte is refused', () => {
    const document = signDocument(sodium, 'roster', exampleRoster('roster', seed), {
      keyId: 'gateway',
      seed,
    });
    const payload = decodeBase64(document.payload);
    fc.assert(
      fc.property(fc.nat(payload.length - 1), fc.integer({ min: 1, max: 255 }), (at, change) => {
        const changed = encodeBase64(payload.map((byte, i) => (i === at ? byte ^ change : byte)));
        expectCode(
          () => openDocument(sodium, 'roster', rosterSchema, { ...document, payload: changed }, key),
          'signature-invalid',
        );
      }),
    );
  });

  test('another kind, key or key identifier is refused', () => {
    const document = signDocument(sodium, 'roster', {}, { keyId: 'gateway', seed });
    const open = (kind: string, other: Partial<typeof key>): unknown =>
      openDocument(sodium, kind, anything, document, { ...key, ...other });
    expectCode(() => open('checkpoint', {}), 'signature-invalid');
    expectCode(() => open('roster', { keyId: 'gemeente' }), 'signature-invalid');
    expectCode(
      () => open('roster', { publicKey: sodium.signatures.publicKey(seeded('x')(32)) }),
      'signature-invalid',
    );
    // A kind cannot be stretched into the payload.
    expectCode(() => open('roster\n', {}), 'signature-invalid');
  });

  test('a payload that is signed but is not JSON', () => {
    const sign = (payload: Uint8Array) => ({
      payload: encodeBase64(payload),
      signatures: [
        {
          keyId: 'gateway',
          signature: encodeBase64(
            sodium.signatures.sign(
              seed,
              Uint8Array.of(...utf8ToBytes('hitmachine-v1 document roster\n'), ...payload),
            ),
          ),
        },
      ],
    });
    for (const payload of [new Uint8Array(), utf8ToBytes('{'), Uint8Array.of(0x22, 0xff, 0x22)])
      expectCode(() => openDocument(sodium, 'roster', anything, sign(payload), key), 'malformed');
  });
});

describe('base64url', () => {
  test('decode after encode is the identity, and there is one encoding', () => {
    fc.assert(
      fc.property(fc.uint8Array(), (bytes) => {
        expect(decodeBase64(encodeBase64(bytes))).toEqual(bytes);
      }),
    );
    fc.assert(
      fc.property(fc.string({ unit: fc.constantFrom(...'AQgw-_Zz09+/= \n'), maxLength: 8 }), (text) => {
        const decoded = acceptsOrRefuses(() => decodeBase64(text));
        if (decoded !== undefined) expect(encodeBase64(decoded.value)).toBe(text);
      }),
      { numRuns: 500 },
    );
  });

  test('a wrong length is refused', () => expectCode(() => decodeBase64('AAAA', 2), 'malformed'));
});

const key32 = encodeBase64(new Uint8Array(32));
const roster = exampleRoster('schemas', seed);
const [agency] = roster.agencies;
const { policy } = openRosterPayload(sodium, roster);

/** Every JSON body of the protocol, each with a value that is right. */
const BODIES: readonly (readonly [
  name: string,
  schema: z.ZodType,
  value: Readonly<Record<string, unknown>>,
])[] = [
  ['roster', rosterSchema, roster],
  ['policy', policySchema, policy],
  [
    'lookup request',
    lookupRequestSchema,
    {
      rosterVersion: 1,
      purpose: 'casusoverleg',
      caseCommitment: key32,
      professional: encodeBase64(new Uint8Array(16)),
      role: 'coordinator',
      statements: ['overlast'],
      registers: ['politie/aandacht'],
      tokenTypes: ['bsn', 'name+birthdate'],
      persons: 1,
      elements: encodeBase64(new Uint8Array(64)),
    },
  ],
  [
    'opened lookup',
    lookupOpenedSchema,
    {
      lookupId: encodeBase64(new Uint8Array(16)),
      evaluated: key32,
      tickets: [{ node: 'politie', ticket: 'AA' }],
      capability: key32,
      logged: { entry: 'AA', receipt: 'c2sp.org/tlog-proof@v1' },
    },
  ],
  ['evaluation request', evaluationRequestSchema, { register: 'leerplicht', elements: key32 }],
  [
    'evaluation response',
    evaluationResponseSchema,
    { evaluated: key32, proof: encodeBase64(new Uint8Array(64)) },
  ],
  [
    'enrolment request',
    enrolmentRequestSchema,
    {
      agency: 'politie',
      secret: key32,
      identityKey: key32,
      sessionKey: { kem: 'mlkem768-x25519', publicKey: encodeBase64(new Uint8Array(1_216)) },
      registers: agency?.registers,
    },
  ],
  ['registers update', registersUpdateSchema, { registers: agency?.registers }],
];

describe.each(BODIES)('the schema of a %s', (_, schema, value) => {
  test('takes a right value, and gives it back through JSON', () => {
    const parsed = parseJson(schema, utf8ToBytes(JSON.stringify(value)));
    expect(parseJson(schema, utf8ToBytes(JSON.stringify(parsed)))).toEqual(parsed);
  });

  test('names each field that is missing, wrong or not known, and never its value', () => {
    const secret = 'S3CRET-VALUE';
    for (const field of Object.keys(value)) {
      const { [field]: __, ...without } = value;
      if (!schema.safeParse(without).success)
        expect(errorOf(() => parseValue(schema, without)).fields[0]?.field).toBe(field);
      const error = errorOf(() => parseValue(schema, { ...value, [field]: { [field]: secret } }));
      expect(error.code).toBe('field-invalid');
      expect(error.fields.some((entry) => entry.field.startsWith(field))).toBe(true);
      expect(JSON.stringify(error) + error.message).not.toContain(secret);
    }
    const error = errorOf(() => parseValue(schema, { ...value, unheardOf: secret }));
    expect(error.detail).toContain('unheardOf');
    expect(error.detail).not.toContain(secret);
  });

  test('meets anything else with a coded error', () => {
    fc.assert(
      fc.property(fc.anything({ maxDepth: 3 }), (other) => {
        expect(errorOf(() => parseValue(schema, other)).code).toBe('field-invalid');
      }),
    );
    fc.assert(
      fc.property(fc.uint8Array(), (bytes) => {
        expect(['malformed', 'field-invalid']).toContain(errorOf(() => parseJson(schema, bytes)).code);
      }),
    );
  });
});

describe('the rules of a roster', () => {
  const refuse = (change: object): void =>
    expectCode(() => parseValue(rosterSchema, { ...roster, ...change }), 'field-invalid');
  const withRegister = (change: object): object => ({
    agencies: [{ ...agency, registers: [{ ...agency?.registers[0], ...change }] }],
  });

  test('at most ten bits over all token types together', () => {
    const bits = (tokenTypes: Record<string, number>): object => ({
      ...policy,
      settings: { ...policy.settings, tokenTypes },
    });
    parseValue(policySchema, bits({ bsn: 10, address: 0 }));
    for (const types of [{ bsn: 10, address: 1 }, { bsn: 11 }, { bsn: 1.5 }, {}])
      expectCode(() => parseValue(policySchema, bits(types)), 'field-invalid');
  });

  test('identifiers are slugs', () => {
    for (const id of ['', 'A', '-a', 'a-', 'a/b', 'a.b', 'a b', 'é', 'a'.repeat(41), 'a\n'])
      refuse(withRegister({ id }));
    for (const id of ['a', '0', 'a-b', 'a'.repeat(40)])
      parseValue(rosterSchema, { ...roster, ...withRegister({ id }) });
  });

  test('a session key has the length of its kind', () => {
    refuse({ agencies: [{ ...agency, sessionKey: { kem: 'mlkem768-x25519', publicKey: key32 } }] });
    refuse({
      agencies: [{ ...agency, sessionKey: { kem: 'x25519', publicKey: encodeBase64(new Uint8Array(33)) } }],
    });
  });
});

describe('texts that others show on their screens', () => {
  const named = (name: string): unknown => ({
    registers: [{ id: 'a', name, areaOfLife: 'zorg', tokenTypes: ['bsn'], contact: { name }, tableBits: {} }],
  });

  test.each(['Cliënten', 'Zorg & Veiligheid (team 3)', '‘Ĳssel’', 'عمل'])('may be %s', (name) => {
    expect(registersUpdateSchema.safeParse(named(name)).success).toBe(true);
  });

  test.each(['a\u001b[1A\u001b[2Kb', 'a\rb', 'a\nb', 'a\u0085b', 'a\u2028b', 'a\u202eb', 'a\u0000b'])(
    'may not rewrite the lines around them (%#)',
    (name) => {
      expectCode(() => parseValue(registersUpdateSchema, named(name)), 'field-invalid');
      const purposes = policy.purposes.map((purpose) => ({ ...purpose, legalBasis: name }));
      expectCode(() => parseValue(policySchema, { ...policy, purposes }), 'field-invalid');
    },
  );
});

describe('a refusal of a body', () => {
  test('is not many times as long as the body', () => {
    const numbers = Object.fromEntries(Array.from({ length: 20_000 }, (_, i) => [String(i), 1]));
    const wrong = named({ tableBits: numbers });
    for (const value of [wrong, numbers]) {
      const error = errorOf(() => parseValue(registersUpdateSchema, value));
      expect(error.code).toBe('field-invalid');
      expect(error.fields.length).toBeGreaterThan(0);
      expect(JSON.stringify(error.fields).length + error.detail.length).toBeLessThan(20_000);
    }
  });

  const named = (change: object): unknown => ({ registers: [{ id: 'a', ...change }] });
});

import fc from 'fast-check';
import { expect, test } from 'vitest';
import { decodeEnrolmentToken, encodeEnrolmentToken } from '@hitmachine/protocol';
import { acceptsOrRefuses, errorOf } from './support.ts';

const key = fc.uint8Array({ minLength: 32, maxLength: 32 });
const tokens = fc.record({
  agency: fc.stringMatching(/^[a-z0-9]([a-z0-9-]{0,38}[a-z0-9])?$/),
  gatewayKey: key,
  secret: key,
});

test('decode after encode is the identity, with blanks around it too', () => {
  fc.assert(
    fc.property(tokens, fc.stringMatching(/^[ \t\r\n]{0,3}$/), (token, blanks) => {
      expect(decodeEnrolmentToken(blanks + encodeEnrolmentToken(token) + blanks)).toEqual(token);
    }),
  );
});

test('a token that was not copied whole is refused, and the message says how it looks', () => {
  fc.assert(
    fc.property(tokens, fc.nat(), (token, at) => {
      const text = encodeEnrolmentToken(token);
      const cut = 1 + (at % (text.length - 1));
      for (const part of [text.slice(0, cut), text.slice(cut), text.slice(0, cut) + text.slice(cut + 1)]) {
        const refused = acceptsOrRefuses(() => decodeEnrolmentToken(part));
        // A letter less in the name of the agency is a name too; the gateway does not know it.
        if (refused !== undefined) expect(refused.value.agency).not.toBe(token.agency);
      }
      const error = errorOf(() => decodeEnrolmentToken(text.slice(0, -1)));
      expect(error.code).toBe('enrolment-refused');
      expect(error.detail).toContain('hit1.');
      expect(error.detail).not.toContain(text.slice(5, 60));
    }),
  );
});

test('any other text only ever gives a coded error', () => {
  fc.assert(
    fc.property(fc.oneof(fc.string(), fc.stringMatching(/^hit1(\.[\w-]{0,43}){0,5}$/)), (text) => {
      const decoded = acceptsOrRefuses(() => decodeEnrolmentToken(text));
      if (decoded !== undefined) expect(encodeEnrolmentToken(decoded.value)).toBe(text.trim());
    }),
    { numRuns: 500 },
  );
});

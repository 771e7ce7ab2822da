import { z } from 'zod';
import { decodeEnrolmentToken, encodeEnrolmentToken } from '../../src/index.ts';
import { expand } from '../deterministic.ts';
import type { NegativeCase, Subject } from '../format.ts';
import { hex, operation } from '../format.ts';

/** The one-time token that an agency is admitted with. */
export const enrolment: Subject = {
  description:
    'Enrolment tokens. encode-enrolment-token: "hit1", the agency, the identity key of the gateway and the secret, with ' +
    'dots between. decode-enrolment-token: the inverse; blanks around the token do not matter.',
  operations: {
    'encode-enrolment-token': operation(
      z.strictObject({ agency: z.string(), gatewayKey: hex, secret: hex }),
      (_, token) => encodeEnrolmentToken(token),
    ),
    'decode-enrolment-token': operation(z.strictObject({ token: z.string() }), (_, { token }) =>
      decodeEnrolmentToken(token),
    ),
  },
  async cases() {
    const random = expand('enrolment');
    const parts = { agency: 'politie-oost', gatewayKey: random(32), secret: random(32) };
    const token = encodeEnrolmentToken(parts);
    const refused = (name: string, text: string): NegativeCase => ({
      name,
      operation: 'decode-enrolment-token',
      input: { token: text },
      error: 'enrolment-refused',
    });
    return {
      vectors: [
        { name: 'a token', operation: 'encode-enrolment-token', input: parts },
        { name: 'a token', operation: 'decode-enrolment-token', input: { token } },
        { name: 'copied with blanks', operation: 'decode-enrolment-token', input: { token: ` ${token}\n` } },
      ],
      negative: [
        refused('empty', ''),
        refused('cut off', token.slice(0, -1)),
        refused('the start is missing', token.slice(1)),
        refused('a part too many', `${token}.`),
        refused('an agency in capitals', token.replace('politie', 'Politie')),
        refused('padding', `${token}=`),
        refused('another version', token.replace('hit1', 'hit2')),
      ],
    };
  },
};

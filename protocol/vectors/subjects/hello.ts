import { z } from 'zod';
import type { ErrorCode } from '../../src/index.ts';
import { checkGreeting, checkHello, noble, signGreeting, signHello, utf8ToBytes } from '../../src/index.ts';
import { expand } from '../deterministic.ts';
import type { NegativeCase, Subject } from '../format.ts';
import { hex, operation } from '../format.ts';

const helloFields = { requestBase: hex, rosterVersion: z.number(), now: z.number(), replica: z.string() };

const greetingFields = {
  ...helloFields,
  offered: z.array(z.number()),
  version: z.number(),
  program: z.string(),
};

/** The gateway's half of the handshake on a connection. */
export const hello: Subject = {
  description:
    'Hello. sign-hello: the gateway signs, with the seed of its identity, the signature base of the connection request ' +
    '(RFC 9421 section 2.5) with its roster version, clock and replica. check-hello: what the agent checks; true or fails. ' +
    'sign-greeting and check-greeting: the same from version 2 on, with the versions that the agent offered, the one that the gateway chose, and its program.',
  operations: {
    'sign-hello': operation(
      z.strictObject({ ...helloFields, identitySeed: hex }),
      (backend, { identitySeed, requestBase, ...values }) =>
        signHello(backend, identitySeed, requestBase, values),
    ),
    'check-hello': operation(
      z.strictObject({ ...helloFields, gatewayKey: hex, signature: hex }),
      (backend, { gatewayKey, requestBase, ...values }) => {
        checkHello(backend, gatewayKey, requestBase, values);
        return true;
      },
    ),
    'sign-greeting': operation(
      z.strictObject({ ...greetingFields, identitySeed: hex }),
      (backend, { identitySeed, requestBase, offered, ...values }) =>
        signGreeting(backend, identitySeed, requestBase, offered, values),
    ),
    'check-greeting': operation(
      z.strictObject({ ...greetingFields, gatewayKey: hex, signature: hex }),
      (backend, { gatewayKey, requestBase, offered, ...values }) => {
        checkGreeting(backend, gatewayKey, requestBase, offered, values);
        return true;
      },
    ),
  },
  async cases() {
    const random = expand('hello');
    const identitySeed = random(32);
    const requestBase = utf8ToBytes('"@method": GET\n"@path": /v1/connect\n');
    const values = { requestBase, rosterVersion: 7, now: 1_767_225_600_000, replica: 'cmVwbGljYSAx' };
    const signature = signHello(noble, identitySeed, requestBase, values);
    const gatewayKey = noble.signatures.publicKey(identitySeed);
    const checked = { ...values, gatewayKey, signature };
    const greeting = { ...values, offered: [3, 2, 1], version: 2, program: '0.1.0' };
    const greeted = {
      ...{ ...greeting, gatewayKey },
      signature: signGreeting(noble, identitySeed, requestBase, greeting.offered, greeting),
    };
    const notOffered = { ...greeting, version: 4 };
    const refusedGreeting = (
      name: string,
      change: object,
      error: ErrorCode = 'signature-invalid',
    ): NegativeCase => ({
      ...{ name, operation: 'check-greeting', input: { ...greeted, ...change }, error },
    });
    const refused = (name: string, change: object): NegativeCase => ({
      name,
      operation: 'check-hello',
      input: { ...checked, ...change },
      error: 'signature-invalid',
    });
    return {
      vectors: [
        { name: 'hello', operation: 'sign-hello', input: { ...values, identitySeed } },
        { name: 'hello', operation: 'check-hello', input: checked },
        { name: 'greeting', operation: 'sign-greeting', input: { ...greeting, identitySeed } },
        { name: 'greeting', operation: 'check-greeting', input: greeted },
      ],
      negative: [
        refused('another request', { requestBase: requestBase.slice(1) }),
        refused('another roster version', { rosterVersion: 8 }),
        refused('another time', { now: values.now + 1 }),
        refused('another replica', { replica: 'cmVwbGljYSAy' }),
        refused('another gateway', { gatewayKey: noble.signatures.publicKey(random(32)) }),
        refused('a signature cut off', { signature: signature.slice(0, 63) }),
        refusedGreeting('a version taken out of the offer', { offered: [2, 1] }),
        refusedGreeting('an older version put in place of the chosen one', { version: 1 }),
        refusedGreeting('another program', { program: '0.2.0' }),
        refusedGreeting('another request', { requestBase: requestBase.slice(1) }),
        refusedGreeting(
          'a version that was not offered',
          {
            ...notOffered,
            signature: signGreeting(noble, identitySeed, requestBase, greeting.offered, notOffered),
          },
          'version-not-spoken',
        ),
      ],
    };
  },
};

import { z } from 'zod';
import { checkHello, noble, signHello, utf8ToBytes } from '../../src/index.ts';
import { expand } from '../deterministic.ts';
import type { NegativeCase, Subject } from '../format.ts';
import { hex, operation } from '../format.ts';

const helloFields = { requestBase: hex, rosterVersion: z.number(), now: z.number(), replica: z.string() };

/** The gateway's half of the handshake on a connection. */
export const hello: Subject = {
  description:
    'Hello. sign-hello: the gateway signs, with the seed of its identity, the signature base of the connection request ' +
    '(RFC 9421 section 2.5) with its roster version, clock and replica. check-hello: what the agent checks; true or fails.',
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
  },
  async cases() {
    const random = expand('hello');
    const identitySeed = random(32);
    const requestBase = utf8ToBytes('"@method": GET\n"@path": /v1/connect\n');
    const values = { requestBase, rosterVersion: 7, now: 1_767_225_600_000, replica: 'cmVwbGljYSAx' };
    const signature = signHello(noble, identitySeed, requestBase, values);
    const gatewayKey = noble.signatures.publicKey(identitySeed);
    const checked = { ...values, gatewayKey, signature };
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
      ],
      negative: [
        refused('another request', { requestBase: requestBase.slice(1) }),
        refused('another roster version', { rosterVersion: 8 }),
        refused('another time', { now: values.now + 1 }),
        refused('another replica', { replica: 'cmVwbGljYSAy' }),
        refused('another gateway', { gatewayKey: noble.signatures.publicKey(random(32)) }),
        refused('a signature cut off', { signature: signature.slice(0, 63) }),
      ],
    };
  },
};

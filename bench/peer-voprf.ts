import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { utf8ToBytes } from '@hitmachine/protocol';
import { secureRandom } from '../node-agent/src/random.ts';
import type { Peer } from './peer.ts';
import { npm } from './peer.ts';

const PACKAGE = '@cloudflare/voprf-ts@1.0.0';
/** Bytes of an output by which a client is told apart; as many as our tags have. */
const TAG_BYTES = 8;

interface Serializable {
  serialize(): Uint8Array;
}
interface Voprf {
  readonly CryptoNoble: unknown;
  readonly Oprf: { Crypto: unknown; readonly Suite: { readonly RISTRETTO255_SHA512: string } };
  randomPrivateKey(suite: string): Promise<Uint8Array>;
  readonly OPRFClient: new (suite: string) => {
    blind(inputs: readonly Uint8Array[]): Promise<[Serializable, Serializable]>;
    finalize(data: Serializable, evaluation: Serializable): Promise<Uint8Array[]>;
  };
  readonly OPRFServer: new (
    suite: string,
    key: Uint8Array,
  ) => {
    blindEvaluate(request: Serializable): Promise<Serializable>;
    evaluate(input: Uint8Array): Promise<Uint8Array>;
  };
}

/** Cloudflare's voprf-ts with @noble/curves, in its plain mode. Throws when it cannot be had. */
export async function loadVoprf(folder: string): Promise<(size: number) => Promise<Peer>> {
  npm(folder, 'install', '--prefix', folder, PACKAGE);
  // Imported from within the folder, so that its own copies of what it needs are found.
  const entry = join(folder, 'entry.mjs');
  writeFileSync(
    entry,
    "export * from '@cloudflare/voprf-ts'; export { CryptoNoble } from '@cloudflare/voprf-ts/crypto-noble';\n",
  );
  const voprf = (await import(pathToFileURL(entry).href)) as Voprf;
  voprf.Oprf.Crypto = voprf.CryptoNoble;
  return (size) => peer(voprf, size);
}

async function peer(voprf: Voprf, size: number): Promise<Peer> {
  const suite = voprf.Oprf.Suite.RISTRETTO255_SHA512;
  const server = new voprf.OPRFServer(suite, await voprf.randomPrivateKey(suite));
  const client = new voprf.OPRFClient(suite);
  const input = utf8ToBytes('client 0');
  const tags = secureRandom(size * TAG_BYTES);
  tags.set((await server.evaluate(input)).subarray(0, TAG_BYTES));
  const known = new Set<bigint>();
  const view = new DataView(tags.buffer);
  for (let i = 0; i < size; i++) known.add(view.getBigUint64(i * TAG_BYTES));
  const [data, request] = await client.blind([input]);
  const evaluation = await server.blindEvaluate(request);
  const isKnown = (output: Uint8Array): boolean =>
    known.has(new DataView(output.buffer, output.byteOffset).getBigUint64(0));
  const [output] = await client.finalize(data, evaluation);
  if (output === undefined || !isKnown(output)) throw new Error('voprf-ts: a wrong answer');
  return {
    name: 'voprf-ts (ristretto255, noble)',
    sides: [
      {
        side: 'holder',
        subject: {
          name: 'voprf-ts holder',
          async run(times) {
            for (let i = 0; i < times; i++) await server.blindEvaluate(request);
          },
        },
      },
      {
        side: 'asker',
        subject: {
          name: 'voprf-ts asker',
          async run(times) {
            for (let i = 0; i < times; i++) {
              const [mine] = await client.blind([input]);
              const [result] = await client.finalize(data, evaluation);
              if (mine === undefined || result === undefined || !isKnown(result)) throw new Error();
            }
          },
        },
      },
    ],
    requestBytes: request.serialize().length,
    responseBytes: evaluation.serialize().length,
    fetchedBytes: tags.length,
    leaks:
      'asker: the size of the set, and every later answer of this key tests against all of it; holder: how many are asked about',
  };
}

import { execFileSync } from 'node:child_process';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { secureRandom } from '../node-agent/src/random.ts';
import type { Peer } from './peer.ts';
import { npm } from './peer.ts';
import { repeated } from './rounds.ts';

const PACKAGE = '@openmined/psi.js@2.0.6';
/** A false hit in a thousand million lookups. */
const FALSE_HITS = 1e-9;
/** Elements of the set that is really made; larger ones differ from it in nothing but the length of the filter. */
const MADE = 1_000;

interface Message {
  serializeBinary(): Uint8Array;
}
interface Setup extends Message {
  getBloomFilter(): { setBits(bits: Uint8Array): void } | undefined;
}
interface Psi {
  readonly dataStructure: { readonly BloomFilter: unknown };
  readonly serverSetup: { deserializeBinary(bytes: Uint8Array): Setup };
  readonly server: {
    createWithNewKey(reveal: boolean): {
      createSetupMessage(
        falseHits: number,
        inputs: number,
        set: readonly string[],
        structure: unknown,
      ): Setup;
      processRequest(request: Message): Message;
    };
  };
  readonly client: {
    createWithNewKey(reveal: boolean): {
      createRequest(inputs: readonly string[]): Message;
      getIntersection(setup: Setup, response: Message): number[];
    };
  };
}

/**
 * OpenMined's psi.js. Its package asks for another that cannot be installed everywhere, and needs none of them to run,
 * so that it is unpacked instead of installed. Throws when it cannot be had.
 */
export async function loadPsi(folder: string): Promise<(size: number) => Peer> {
  const file = npm(folder, 'pack', PACKAGE).trim().split('\n').at(-1) ?? '';
  execFileSync('tar', ['-xzf', file], { cwd: folder });
  const load = createRequire(join(folder, 'x.js'))('./package/psi_wasm_node.js') as () => Promise<Psi>;
  const psi = await load();
  return (size) => peer(psi, size);
}

function peer(psi: Psi, size: number): Peer {
  const [server, client] = [psi.server.createWithNewKey(true), psi.client.createWithNewKey(true)];
  const set = Array.from({ length: MADE }, (_, i) => `client ${i}`);
  const made = server.createSetupMessage(FALSE_HITS, 1, set, psi.dataStructure.BloomFilter);
  const ask = (setup: Setup, input: string): boolean => {
    const response = server.processRequest(client.createRequest([input]));
    return client.getIntersection(setup, response).length === 1;
  };
  if (!ask(made, 'client 5') || ask(made, 'a stranger')) throw new Error('psi.js: a wrong answer');
  const setup = psi.serverSetup.deserializeBinary(made.serializeBinary());
  // A full filter has half of its bits set, and looks like noise.
  setup
    .getBloomFilter()
    ?.setBits(secureRandom(Math.ceil((size * -Math.log(FALSE_HITS)) / Math.LN2 ** 2 / 8)));
  const request = client.createRequest(['a stranger']);
  const response = server.processRequest(request);
  return {
    name: 'psi.js (P-256, Bloom filter)',
    sides: [
      { side: 'holder', subject: repeated('psi.js holder', () => server.processRequest(request)) },
      {
        side: 'asker',
        subject: repeated('psi.js asker', () => {
          client.createRequest(['a stranger']);
          client.getIntersection(setup, response);
        }),
      },
    ],
    requestBytes: request.serializeBinary().length,
    responseBytes: response.serializeBinary().length,
    fetchedBytes: setup.serializeBinary().length,
    leaks:
      'asker: the size of the set, and with every later answer of this key hits beyond one register; holder: how many are asked about',
  };
}

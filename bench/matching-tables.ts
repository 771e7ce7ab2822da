import type { TableEntry } from '@hitmachine/protocol';
import {
  ELEMENT_BYTES,
  blindBatch,
  bucketMaskKey,
  bucketTree,
  buildTable,
  deriveKeyPair,
  encodeToken,
  epochFactor,
  finishBatch,
  randomScalar,
  tagPrefix,
  utf8ToBytes,
} from '@hitmachine/protocol';
import { evaluateAll } from '../gateway/src/adapters/worker/evaluation.ts';
import { workerTableBuilder } from '../node-agent/src/adapters/workers/table-builder.ts';
import { secureRandom } from '../node-agent/src/random.ts';
import { sha256 } from '../node-agent/src/sha256.ts';
import { suite } from './backends.ts';
import type { Costs, Effort, Subject } from './rounds.ts';
import { measureInTurns, repeated } from './rounds.ts';
import type { Spread } from './statistics.ts';
import { spreadOf } from './statistics.ts';

/** Tokens in a batch of an import, and pseudonyms in a page of a table. */
const BATCH = 64;

/** Microseconds of processor time a client (one token each), by what is done. */
export type TableFigures = Readonly<Record<string, Spread>>;

/** Measures imports and the building of tables of `small` and of `large` registers. */
export async function measureTables(
  effort: Effort,
  { small, large }: { readonly small: number; readonly large: number },
): Promise<TableFigures> {
  const nodeKey = randomScalar(suite, secureRandom);
  const gateway = deriveKeyPair(suite, secureRandom(32), utf8ToBytes('benchmark'));
  const tokens = Array.from({ length: BATCH }, (_, i) => encodeToken('person', 'bsn', [`person ${i}`]));
  const batch = blindBatch(suite, tokens, secureRandom);
  const evaluate = () => evaluateAll(suite, gateway, batch.elements, { proof: true, random: secureRandom });
  const { evaluated, proof } = evaluate();
  const finish = () => finishBatch(suite, gateway.publicKey, nodeKey, batch, evaluated, proof as Uint8Array);
  const pseudonyms = finish();

  const scope = { agency: 'politie', register: 'incidenten', tokenType: 'bsn', epoch: 1 };
  const spec = {
    factor: epochFactor(suite, nodeKey, scope),
    prefix: tagPrefix(scope),
    maskKey: bucketMaskKey(nodeKey),
    maxBits: 10,
  };
  const page = {
    elements: new Uint8Array(BATCH * ELEMENT_BYTES),
    maskedHashes: Uint16Array.from(pseudonyms, ({ bucketHash }) => bucketHash),
  };
  pseudonyms.forEach(({ element }, i) => page.elements.set(element, i * ELEMENT_BYTES));
  const builder = workerTableBuilder(1);

  const subjects: (readonly [Subject, number])[] = [
    [repeated('import: blinding', () => blindBatch(suite, tokens, secureRandom)), BATCH],
    [repeated('import: the gateway, with its proof', evaluate), BATCH],
    [repeated('import: the proof checked, unblinding, k_n', finish), BATCH],
    [
      {
        name: 'table: a tag for the epoch, in the worker',
        async run(times) {
          await builder.build(
            spec,
            (async function* () {
              for (let i = 0; i < times; i++) yield page;
            })(),
          );
        },
      },
      BATCH,
    ],
    ...[small, large].map((clients) => [layout(clients), clients] as const),
  ];
  try {
    const costs = await measureInTurns(
      subjects.map(([subject]) => subject),
      effort,
    );
    const each = (cost: Costs, clients: number): Spread => spreadOf(cost.map((value) => value / clients));
    return Object.fromEntries(subjects.map(([{ name }, clients]) => [name, each(costs(name), clients)]));
  } finally {
    await builder.close();
  }
}

/** Buckets, padding, order and tree. */
function layout(clients: number): Subject {
  const [tags, hashes] = [secureRandom(8 * clients), new DataView(secureRandom(2 * clients).buffer)];
  const entries = Array.from({ length: clients }, (_, i): TableEntry => ({
    bucketHash: hashes.getUint16(2 * i),
    tag: tags.subarray(8 * i, 8 * i + 8),
  }));
  return repeated(`table: laid out with its tree, ${clients.toLocaleString('en')} clients`, () =>
    bucketTree(buildTable(entries, 10, secureRandom), sha256),
  );
}

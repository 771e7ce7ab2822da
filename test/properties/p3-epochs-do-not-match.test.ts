import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Backend, Suite, TagScope } from '@hitmachine/protocol';
import { answerKey, createSuite, epochFactor, loadSodium, tagOf, tagPrefix } from '@hitmachine/protocol';
import { knownAt } from '../harness/agency.ts';
import type { Federation } from '../harness/federation.ts';
import { nodeKeyOf } from './support/views.ts';
import { KNOWN, NAMELESS_NUMBER, startWaalstad, validNumbers } from './support/waalstad.ts';

interface StoredTable {
  readonly epoch: number;
  readonly register: string;
  readonly token_type: string;
  readonly bytes: Uint8Array;
}

const CLIENTS = validNumbers(300_000_000, 40).map((bsn) => ({ bsn }));

const tagsOf = ({ bytes }: { readonly bytes: Uint8Array }): string[] =>
  Array.from({ length: bytes.length / 8 }, (_, i) => Buffer.from(bytes).toString('hex', 8 * i, 8 * (i + 1)));

function common(a: Iterable<string>, b: Iterable<string>): string[] {
  const set = new Set(a);
  return [...b].filter((tag) => set.has(tag));
}

describe('P3: what an asker keeps is worthless in the next epoch, and at any other register', () => {
  let federation: Federation;
  let backend: Backend;
  let suite: Suite;
  let nodeKey: Uint8Array;

  beforeAll(async () => {
    backend = await loadSodium();
    suite = createSuite('voprf', backend);
    federation = await startWaalstad({}, CLIENTS);
    nodeKey = await nodeKeyOf(federation.agency('politie'), backend);
  });
  afterAll(() => federation.close());

  function read<T>(sql: string, ...values: string[]): T[] {
    const database = new DatabaseSync(join(federation.agency('politie').folder, 'agent.sqlite'), {
      readOnly: true,
    });
    try {
      return database.prepare(sql).all(...values) as T[];
    } finally {
      database.close();
    }
  }

  const tables = (): StoredTable[] => read('SELECT epoch, register, token_type, bytes FROM tables');
  const elements = (register: string): Uint8Array[] =>
    read<{ element: Uint8Array }>(
      "SELECT element FROM pseudonyms WHERE register = ? AND token_type = 'bsn'",
      register,
    ).map(({ element }) => element);

  /** All that an asker could have kept of an epoch: the tags of every client. `broken` forgets a part of the scope. */
  function keptTags(scope: TagScope, broken?: Partial<TagScope>): string[] {
    const factor = epochFactor(suite, nodeKey, { ...scope, ...broken });
    const prefix = tagPrefix({ ...scope, ...broken });
    return elements('incidenten').map((element) =>
      Buffer.from(tagOf(prefix, suite.backend.group.multiply(factor, element))).toString('hex'),
    );
  }

  it('shares no tag between two epochs, not even for clients who are in both', async () => {
    const before = tables();
    const scope = { agency: 'politie', register: 'incidenten', tokenType: 'bsn', epoch: before[0]!.epoch };
    const table = before.find(
      ({ register, token_type: type }) => register === 'incidenten' && type === 'bsn',
    )!;
    const kept = keptTags(scope);
    expect(common(tagsOf(table), kept).length).toBe(kept.length);

    const politie = federation.agency('politie');
    await politie.import('incidenten', [
      KNOWN,
      NAMELESS_NUMBER,
      ...CLIENTS,
      ...validNumbers(310_000_000, 1).map((bsn) => ({ bsn })),
    ]);
    await politie.ready();
    const after = tables();
    expect(after[0]!.epoch).toBeGreaterThan(scope.epoch);
    expect(common(before.flatMap(tagsOf), after.flatMap(tagsOf))).toEqual([]);
    expect(common(after.flatMap(tagsOf), kept)).toEqual([]);
    expect(knownAt(await federation.agency('vragen').lookup([KNOWN]))).toContain('politie/incidenten');

    // Were the epoch left out of the derivation, what was kept would go on to match.
    const sticky = { ...scope, epoch: after[0]!.epoch };
    expect(common(keptTags(sticky), keptTags(scope, { epoch: sticky.epoch })).length).toBeGreaterThan(0);
  });

  it('gives an evaluation for one register no use at another, although both hold the person', () => {
    const [epoch] = tables().map((table) => table.epoch);
    const key = (scope: Partial<TagScope>): Uint8Array =>
      answerKey(suite, nodeKey, {
        agency: 'politie',
        register: 'incidenten',
        tokenType: 'bsn',
        epoch: epoch!,
        ...scope,
      });
    const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');
    const scopes = [
      {},
      { register: 'zorgmeldingen' },
      { tokenType: 'name+birthdate' },
      { epoch: epoch! + 1 },
      { agency: 'ggz' },
    ];
    expect(new Set(scopes.map((scope) => hex(key(scope)))).size).toBe(scopes.length);
  });
});

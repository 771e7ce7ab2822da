import { readdirSync, writeFileSync } from 'node:fs';
import { DatabaseSync } from 'node:sqlite';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { TestAgency } from '../harness/agency.ts';
import { Federation } from '../harness/federation.ts';
import { numbers } from './support/node.ts';
import { Program, contentOf } from './support/program.ts';

/** Tokens of a request: only whole ones are kept. */
const BATCH = 256;
const clients = numbers(7 * BATCH + 17, 240_000_000);

// Each test starts half a dozen processes, which step back behind everything else that runs.
describe('an import that is cut off', { timeout: 60_000 }, () => {
  let federation: Federation;
  let agency: TestAgency;
  let file: string;
  /** Elements that the gateway evaluated. */
  let evaluated = 0;

  beforeAll(async () => {
    federation = await Federation.start({
      tap: true,
      agencies: { politie: [{ id: 'zaken', tokenTypes: ['bsn'] }] },
    });
    agency = federation.agency('politie');
    file = join(agency.folder, 'clients.csv');
    federation.tap!.meddle = (heard) => {
      if (heard.what === 'POST /v1/evaluations' && heard.direction === 'to-gateway') {
        const { elements } = JSON.parse(Buffer.from(heard.bytes).toString()) as { elements: string };
        evaluated += Buffer.from(elements, 'base64url').length / 32;
      }
      return heard.bytes;
    };
  });
  afterAll(() => federation.close());
  beforeEach(async () => {
    await importNumbers(clients.slice(0, 10));
    evaluated = 0;
  });

  const start = (list: readonly string[]): Program => {
    writeFileSync(file, ['bsn', ...list].join('\n'));
    return new Program(
      agency.folder,
      ...['import', file, '--register', 'zaken', '--allow-shrink', '--progress', 'json', '--json'],
    );
  };
  const importNumbers = async (list: readonly string[]): Promise<Record<string, unknown>> => {
    const program = start(list);
    expect([await program.exit, program.err.includes('hit-agent:')]).toEqual([
      { code: 0, signal: null },
      false,
    ]);
    return JSON.parse(program.out) as Record<string, unknown>;
  };
  const content = (): string => contentOf(agency.folder, ['imports', 'pseudonyms']);
  /** Cuts an import off when two batches are done. */
  const cutOff = async (list: readonly string[], signal: NodeJS.Signals) => {
    const program = start(list);
    await program.says(/"done":512,/);
    return { exit: await program.kill(signal), err: program.err };
  };

  it('by a gateway that restarts: waits, says so, and goes on without making anything twice', async () => {
    const program = start(clients);
    await program.says(new RegExp(`"done":${2 * BATCH},`));
    await federation.stopGateway();
    await program.says(/"event":"waiting","reason":"no connection/);
    await federation.startGateway();
    expect(await program.exit).toEqual({ code: 0, signal: null });
    expect(program.err).toContain('"event":"going-on"');
    expect(JSON.parse(program.out)).toMatchObject({ clients: clients.length });
  });

  it('by Ctrl-C changes nothing, says how to go on, and goes on from there', async () => {
    const before = content();
    const { exit, err } = await cutOff(clients, 'SIGINT');
    expect(exit).toEqual({ code: 130, signal: null });
    expect(err).toMatch(/stopped; zaken is as it was\. What is done is kept .*goes on from there/);
    expect(content()).toBe(before);
    evaluated = 0;
    expect(await importNumbers(clients)).toMatchObject({
      clients: clients.length,
      added: clients.length - 10,
      unchanged: 11,
    });
    expect(evaluated).toBeLessThanOrEqual(clients.length + 1 - 2 * BATCH);
    // All of it is there once: a full import finds nothing to change.
    expect(await importNumbers(clients)).toMatchObject({ added: 0, removed: 0 });
  });

  it('by kill -9 does so as well, and nothing of it is answered from or left behind', async () => {
    const before = content();
    expect((await cutOff(clients, 'SIGKILL')).exit).toEqual({ code: null, signal: 'SIGKILL' });
    expect(content()).toBe(before);
    const kept = join(agency.folder, 'import-zaken.sqlite');
    const rows = () => {
      const database = new DatabaseSync(kept, { readOnly: true });
      const found = database.prepare('SELECT digest, sealed FROM batches').all() as {
        sealed: Uint8Array;
      }[];
      database.close();
      return found;
    };
    const sealed = rows();
    expect(sealed.length).toBeGreaterThanOrEqual(2);
    evaluated = 0;
    await importNumbers(clients);
    expect(evaluated).toBeLessThanOrEqual(clients.length + 1 - 2 * BATCH);
    // The file with the clients' tokens has no name even while it is in use; what was kept is gone.
    expect(rows()).toEqual([]);
    expect(readdirSync(agency.folder).filter((name) => name.startsWith('spool'))).toEqual([]);
    // What was kept were those pseudonyms, and nobody could read them there.
    const open = Buffer.from(content());
    for (const { sealed: bytes } of sealed)
      expect(open.includes(Buffer.from(bytes).subarray(12, 44).toString('hex'))).toBe(false);
  });

  it('and then has another file, takes from the old one only what both say', async () => {
    expect((await cutOff(clients, 'SIGKILL')).exit.signal).toBe('SIGKILL');
    // The first batch has lost a client, so that all batches after it hold others than before.
    const changed = [...clients.slice(1), ...numbers(40, 250_000_000)];
    evaluated = 0;
    await importNumbers(changed);
    expect(evaluated).toBe(changed.length + 1);
    const resumed = content();
    await importNumbers(clients.slice(0, 10));
    await importNumbers([...changed].reverse());
    // The order of the source leaves no trace, and neither does what was kept.
    const pseudonyms = (text: string): unknown => (JSON.parse(text) as unknown[])[1];
    expect(pseudonyms(content())).toEqual(pseudonyms(resumed));
  });

  it('makes again what was tampered with', async () => {
    expect((await cutOff(clients, 'SIGKILL')).exit.signal).toBe('SIGKILL');
    const database = new DatabaseSync(join(agency.folder, 'import-zaken.sqlite'));
    database.exec("UPDATE batches SET sealed = CAST(X'00' || substr(sealed, 2) AS BLOB)");
    database.close();
    evaluated = 0;
    await importNumbers(clients);
    expect(evaluated).toBe(clients.length + 1);
  });
});

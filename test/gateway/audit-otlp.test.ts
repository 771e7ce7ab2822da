import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { decodeEntry } from '@hitmachine/protocol';
import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { gatewayFiles } from '../../gateway/src/cli/gateway-files.ts';
import { openStore } from '../../gateway/src/cli/gateway-store.ts';
import { answer, lookup, lookupId, refused } from '../contract/support/log-entries.ts';
import { Collector } from '../support/collector.ts';
import { runProgram } from './support/program.ts';

// Each test starts the program.
vi.setConfig({ testTimeout: 60_000, hookTimeout: 60_000 });

const DAY = Date.UTC(2026, 6, 1);

describe('hit-gateway audit otlp', () => {
  const collector = new Collector();
  const folder = mkdtempSync(join(tmpdir(), 'hit-gateway-test-'));
  let endpoint: string;

  beforeAll(async () => {
    endpoint = await collector.start();
    await runProgram(['init', '--dir', folder, '--federation', 'waalstad']);
    const store = openStore(gatewayFiles(folder).database);
    await store.auditLog.append(DAY, lookup(1, { persons: 2 }));
    await store.auditLog.append(DAY + 70, answer(1, 'politie', 70));
    await store.auditLog.append(DAY + 86_400_000, lookup(2));
    await store.auditLog.append(DAY + 86_400_001, refused('ggz'));
    await store.close();
  });
  beforeEach(() => collector.reset());
  afterAll(() => {
    collector.close();
    rmSync(folder, { recursive: true });
  });

  const run = (...options: string[]) => runProgram(['audit', 'otlp', '--dir', folder, ...options]);
  const traceId = (n: number): string => Buffer.from(lookupId(n), 'base64url').toString('hex');

  it('sends every lookup and every person, and says how many', async () => {
    const { code, stdout } = await run('--endpoint', endpoint);
    expect([code, stdout]).toEqual([0, '2 lookups sent; every record was acknowledged\n']);
    expect(collector.spans().map((span) => [span.traceId, span.name])).toEqual([
      [traceId(2), 'hitmachine.lookup'],
      [traceId(2), 'hitmachine.lookup.person'],
      [traceId(1), 'hitmachine.lookup'],
      [traceId(1), 'hitmachine.lookup.person'],
      [traceId(1), 'hitmachine.lookup.person'],
    ]);
    // A lookup lasts until its last answer.
    const first = collector.spans().find((span) => span.traceId === traceId(1));
    expect(first?.startTimeUnixNano).toBe(`${DAY}000000`);
    expect(first?.endTimeUnixNano).toBe(`${DAY + 70}000000`);
  });

  it('sends those of a period, with the headers that it was given', async () => {
    const headersFile = join(folder, 'headers');
    writeFileSync(headersFile, 'Authorization: Bearer abc\n', { mode: 0o600 });
    const { code, stdout } = await run(
      ...['--endpoint', endpoint, '--from', '2026-07-02', '--headers-file', headersFile],
    );
    expect([code, stdout]).toEqual([0, '1 lookup sent; every record was acknowledged\n']);
    expect(collector.headers.at(-1)?.['authorization']).toBe('Bearer abc');
    const none = await run('--endpoint', endpoint, '--to', '2026-07-01');
    expect(none.stdout).toBe('0 lookups sent; every record was acknowledged\n');
  });

  it('leaves an entry in the log before it reads', async () => {
    const store = openStore(gatewayFiles(folder).database);
    const { size } = await store.auditLog.head();
    collector.answer = { status: 400, body: '' };
    const { code } = await run('--endpoint', endpoint, '--from', '2026-07-01');
    expect(code).toBe(1);
    const [leaf] = await store.auditLog.leaves(size, 10);
    await store.close();
    expect(decodeEntry(leaf ?? new Uint8Array())).toMatchObject({
      event: 'log-read',
      reading: 'export',
      reader: expect.stringMatching(/^command line \(.+\)$/) as string,
      detail: `otlp 2026-07-01T00:00:00.000Z/ to ${new URL(endpoint).host}`,
    });
  });

  it('says what is wrong', async () => {
    collector.answer = { status: 200, body: '{"partialSuccess":{"rejectedSpans":"2"}}' };
    const partly = await run('--endpoint', endpoint);
    expect([partly.code, partly.stderr]).toEqual([
      1,
      `the processing log at ${endpoint} did not take 2 of the records\n`,
    ]);
    const open = await run('--endpoint', 'http://logboek.example.nl/v1/traces');
    expect(open.stderr).toContain('--endpoint: an address that begins with https://');
    const when = await run('--endpoint', endpoint, '--from', 'yesterday');
    expect(when.stderr).toContain('Give a day');
    const headersFile = join(folder, 'open-headers');
    writeFileSync(headersFile, 'Authorization: Bearer abc\n', { mode: 0o644 });
    const readable = await run('--endpoint', endpoint, '--headers-file', headersFile);
    expect(readable.stderr).toContain('chmod 600');
  });
});

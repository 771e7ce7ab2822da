import { createHash } from 'node:crypto';
import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DELIVERY_FAILURES, DELIVERY_OUTCOMES, concatBytes, deliveryPartCodec } from '@hitmachine/protocol';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { answeredIn } from '../../bench/answered-reports.ts';
import { k6Here, k6Program } from '../../bench/k6-program.ts';
import { readSummary } from '../../bench/k6-summary.ts';
import type { SignedLookup, Way } from '../../bench/load-asker.ts';
import { LoadAsker } from '../../bench/load-asker.ts';
import { LoadFederation } from '../../bench/load-federation.ts';
import { openHelper } from '../../bench/load-helper.ts';
import { percentile, run } from '../../bench/load-run.ts';
import { watch } from '../../bench/load-watch.ts';

const NODES = 2;
const WAY: Way = { nodes: NODES, replicas: 1 };
const K6 = k6Here();

/** The bytes alone, without what else their memory holds. */
const alone = (bytes: Uint8Array): ArrayBuffer => Uint8Array.from(bytes).buffer;

describe('what k6 is told and tells', () => {
  it('reads what k6 counted and timed', () => {
    // k6 2.1.0 wrote it: 100 lookups a second for a second with room for two at a time, of which 8 were not sealed.
    const summary = readFileSync(new URL('./k6-summary.json', import.meta.url), 'utf8');
    const { p95, ...figures } = readSummary(summary);
    expect(figures).toEqual({ begun: 56, dropped: 45, whole: 48, answers: 96, median: 15.5 });
    expect(p95).toBeCloseTo(90.5, 9);
  });

  it('takes what k6 did not count for none, and nothing else for a summary', () => {
    const none = readSummary('{"metrics":{"lookups_begun":{"values":{"count":3}}}}');
    expect(none).toEqual({ begun: 3, dropped: 0, whole: 0, answers: 0, median: Number.NaN, p95: Number.NaN });
    for (const wrong of ['', '{}', '{"metrics":{"lookups_begun":{"values":{}}}}'])
      expect(() => readSummary(wrong)).toThrow();
    expect(() => readSummary('{"metrics":{"lookup_time":{"values":{"med":1,"p(90)":2}}}}')).toThrow(
      /p\(95\)/,
    );
  });

  it('counts the registers that answered in a stream of reports, and no others', () => {
    const outcomes = [...DELIVERY_OUTCOMES, ...DELIVERY_FAILURES];
    const report = (outcome: (typeof outcomes)[number], i: number, size = 0): Uint8Array =>
      deliveryPartCodec.encode({
        node: `node-${'x'.repeat(i)}`,
        outcome,
        ciphertext: size === 0 ? undefined : new Uint8Array(size),
      });
    for (const [i, outcome] of outcomes.entries())
      expect(answeredIn(alone(report(outcome, i))), outcome).toBe(outcome === 'answered' ? 1 : 0);
    const some = [report('answered', 3, 70_000), report('timeout', 30), report('answered', 0, 1)];
    expect(answeredIn(alone(concatBytes(...some)))).toBe(2);
    expect(answeredIn(new ArrayBuffer(0))).toBe(0);
    // Broken off: an error, and no count of what was there.
    expect(() => answeredIn(alone(concatBytes(...some).subarray(0, -1)).slice(0, 70_030))).toThrow(
      RangeError,
    );
  });

  it('takes a k6 that is there, and says what to install where there is none and no Go', () => {
    const folder = mkdtempSync(join(tmpdir(), 'hitmachine-k6-test-'));
    const places = { path: folder, cache: join(folder, 'cache') };
    const put = (version: string): void => {
      writeFileSync(join(folder, 'k6'), `#!/bin/sh\necho 'k6 ${version} (go1.26, linux/amd64)'\n`);
      chmodSync(join(folder, 'k6'), 0o755);
    };
    const told: string[] = [];
    const find = () => k6Program((text) => told.push(text), places);
    try {
      expect(find).toThrow(/neither k6 nor Go here\. Install k6 v2\.1\.0 .* or Go/);
      expect(told).toEqual(['building k6 v2.1.0, once; this takes some minutes']);
      put('v0.57.0');
      expect(find).toThrow(/neither k6 nor Go/);
      put('v2.0.0');
      expect(find()).toEqual({ path: 'k6', version: 'v2.0.0' });
      expect(told.length).toBe(2);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  it('takes percentiles as they are defined', () => {
    const values = Array.from({ length: 100 }, (_, i) => 100 - i);
    expect([percentile(values, 0.95), percentile(values, 0.5), percentile([7], 0.95)]).toEqual([95, 50, 7]);
  });
});

describe('prepared lookups at the real programs', () => {
  let federation: LoadFederation;
  let asker: LoadAsker;

  beforeAll(async () => {
    federation = await LoadFederation.make({ nodes: NODES, clients: 10 });
    await federation.startAgents(NODES);
    asker = await LoadAsker.make(federation);
  }, 120_000);

  afterAll(async () => {
    await asker.close();
    await federation.close();
  });

  const post = (url: string, body: string | ArrayBuffer, headers: Readonly<Record<string, string>> = {}) =>
    fetch(url, { method: 'POST', body, headers });
  const open = ({ gateway, headers, body }: SignedLookup) => post(`${gateway}/v1/lookups`, body, headers);
  const codeOf = async (response: Response): Promise<string> =>
    ((await response.json()) as { readonly code: string }).code;

  it('are opened, sealed and answered with the requests that k6 makes, each of them once', async () => {
    expect(asker.checked).toBe(40 * NODES);
    const told: string[] = [];
    const helper = await openHelper({
      begin: () => void told.push('begin'),
      end: () => void told.push('end'),
      seal: (number, reply) => asker.seal(WAY, number, reply),
    });
    try {
      await fetch(`${helper.url}/begin`);
      const lookups = asker.prepare(WAY, { count: 10, rate: 1, now: Date.now() });
      const persons = lookups.map(({ body }) => (JSON.parse(body) as { readonly persons: number }).persons);
      expect(persons).toEqual([1, 1, 4, 1, 1, 4, 1, 1, 4, 1]);
      const nonces = lookups.map(
        ({ headers }) => /nonce="([^"]+)"/.exec(headers['signature-input'] ?? '')?.[1],
      );
      expect(new Set(nonces).size).toBe(lookups.length);
      for (const [number, lookup] of lookups.entries()) {
        const opened = await open(lookup);
        expect(opened.status).toBe(200);
        const reply = await opened.text();
        const { lookupId, capability } = JSON.parse(reply) as Record<'lookupId' | 'capability', string>;
        const sealed = await post(`${helper.url}/seal/${number}`, reply);
        expect(sealed.status).toBe(200);
        const url = `${lookup.gateway}/v1/lookups/${lookupId}/questions`;
        const asked = await post(url, await sealed.arrayBuffer(), {
          authorization: `Bearer ${capability}`,
          'content-type': 'application/octet-stream',
        });
        expect(answeredIn(await asked.arrayBuffer())).toBe(NODES);
      }
      const again = await open(lookups[0] as SignedLookup);
      expect([again.status, await codeOf(again)]).toEqual([401, 'replayed']);
      // The reply to another lookup, whose elements were evaluated to something else.
      const [other] = asker.prepare(WAY, { count: 1, rate: 1, now: Date.now() });
      const wrong = await post(`${helper.url}/seal/1`, await (await open(other as SignedLookup)).text());
      expect([wrong.status, await wrong.text()]).toEqual([
        500,
        'the gateway evaluated the same elements otherwise',
      ]);
      await fetch(`${helper.url}/end`);
      expect(told).toEqual(['begin', 'end']);
    } finally {
      await helper.close();
    }
  });

  it('are signed for the moment at which they are due', async () => {
    const now = Date.now() - 200_000;
    const lookups = asker.prepare(WAY, { count: 101, rate: 0.5, now });
    const late = await open(lookups[0] as SignedLookup);
    expect([late.status, await codeOf(late)]).toEqual([401, 'signature-expired']);
    expect((await open(lookups[100] as SignedLookup)).status).toBe(200);
    const { headers, body } = lookups[100] as SignedLookup;
    const digest = createHash('sha256').update(body).digest('base64');
    expect(headers['content-digest']).toBe(`sha-256=:${digest}:`);
  });

  it('are watched by an asker that opens every answer', async () => {
    const before = asker.checked;
    const options = { rate: 10, seconds: 0.5, patience: 60, without: undefined };
    const { answers, reasons, ...counts } = await watch(asker, WAY, options);
    expect({ ...counts, reasons }).toEqual({ begun: 5, whole: 5, reasons: [] });
    expect(answers.length).toBe(5 * NODES);
    expect(asker.checked).toBe(before + 5 * NODES);
  });

  it('tell a wrong answer from a right one', async () => {
    const known = vi.spyOn(federation, 'isKnown').mockReturnValue(false);
    try {
      const options = { rate: 10, seconds: 0.5, patience: 60, without: undefined };
      await expect(watch(asker, WAY, options)).rejects.toThrow(/gave a wrong answer/);
    } finally {
      known.mockRestore();
    }
  });

  it.skipIf(K6 === undefined)(`are driven by ${K6?.version ?? 'k6 (there is none here)'}`, async () => {
    const load = { federation, asker, k6: K6 as NonNullable<typeof K6> };
    const result = await run(load, { rate: 10, seconds: 1, nodes: NODES });
    expect(result.lookups).toBeGreaterThan(0);
    expect(result.answers).toBeGreaterThanOrEqual(NODES * result.lookups);
    expect(result.errors).toBeLessThan(1);
    expect(result.p95).toBeGreaterThanOrEqual(result.median);
    expect(result.answerP95).toBeGreaterThan(0);
    expect([...result.processor.keys()]).toEqual(['gateway', 'node-1', 'node-2']);
    expect(result.driver.k6).toBeGreaterThan(0);
  });
});

import { createHash } from 'node:crypto';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, afterEach, describe, expect, it } from 'vitest';
import {
  bucketMaskKey,
  deriveKeyPair,
  encodeToken,
  randomScalar,
  splitElements,
  utf8ToBytes,
} from '@hitmachine/protocol';
import { evaluateAll } from '../../gateway/src/adapters/worker/evaluation.ts';
import { sealedSpool } from '../../node-agent/src/adapters/files/sealed-spool.ts';
import { workerPseudonymMaker } from '../../node-agent/src/adapters/workers/pseudonym-maker.ts';
import { eachAtOnce } from '../../node-agent/src/at-once.ts';
import { Rate, durationText, progressTo } from '../../node-agent/src/cli/import-progress.ts';
import { DigestSet } from '../../node-agent/src/domain/importing/digest-set.ts';
import { makeHere } from '../../node-agent/src/domain/importing/make-here.ts';
import { TokenBatches, spoolInMemory } from '../../node-agent/src/domain/importing/token-batches.ts';
import { secureRandom } from '../../node-agent/src/random.ts';
import { suite } from './support/gateway.ts';

const folder = mkdtempSync(join(tmpdir(), 'hitmachine-pipeline-'));
afterAll(() => rmSync(folder, { recursive: true }));

const tokens = (count: number, name = 'person'): Uint8Array[] =>
  Array.from({ length: count }, (_, i) => encodeToken('person', 'bsn', [`${name} ${i}`]));

describe('pseudonyms', () => {
  const gateway = deriveKeyPair(suite, secureRandom(32), utf8ToBytes('test'));
  const nodeKey = randomScalar(suite, secureRandom);
  const keys = { gatewayKey: gateway.publicKey, nodeKey, maskKey: bucketMaskKey(nodeKey) };
  const makers = {
    'on this thread': makeHere(suite, keys, secureRandom),
    'on two threads': workerPseudonymMaker(keys, 2),
  };
  const evaluate = (elements: Uint8Array) => {
    const { evaluated, proof } = evaluateAll(suite, gateway, elements, { proof: true, random: secureRandom });
    return Promise.resolve({ evaluated, proof: proof as Uint8Array });
  };
  afterAll(() => Promise.all(Object.values(makers).map((maker) => maker.close())));

  it('are the same wherever they are made', async () => {
    const [here, there] = [makers['on this thread'], makers['on two threads']];
    for (const count of [1, 2, 70])
      expect(await there.make(tokens(count), evaluate)).toEqual(await here.make(tokens(count), evaluate));
  });

  it.each(Object.entries(makers))('made %s are only made of what is proven', async (_, maker) => {
    const swapped = async (elements: Uint8Array) => {
      const { evaluated, proof } = await evaluate(elements);
      const [first, second] = splitElements(evaluated) as [Uint8Array, Uint8Array];
      return { evaluated: Buffer.concat([second, first, evaluated.subarray(64)]), proof };
    };
    await expect(maker.make(tokens(3), swapped)).rejects.toMatchObject({ code: 'proof-invalid' });
    await expect(maker.make(tokens(3), () => Promise.reject(new Error('no gateway')))).rejects.toThrow(
      'no gateway',
    );
    // And it works on.
    expect((await maker.make(tokens(3), evaluate)).maskedHashes.length).toBe(3);
  });

  it('keep every thread busy, and no more wait than that', async () => {
    let [running, most] = [0, 0];
    await eachAtOnce(tokens(40), 6, async () => {
      most = Math.max(most, ++running);
      await delay(1);
      running--;
    });
    expect([running, most]).toEqual([0, 6]);
  });

  it('are not begun any more after a failure, and what runs is waited for', async () => {
    let [begun, ended] = [0, 0];
    const failing = eachAtOnce([1, 2, 3, 4, 5, 6, 7, 8], 2, async (i) => {
      begun++;
      await delay(2 * i);
      ended++;
      if (i === 2) throw new Error('the second');
    });
    await expect(failing).rejects.toThrow('the second');
    expect(begun).toBe(ended);
    expect(begun).toBeLessThan(5);
  });
});

describe('a set of digests', () => {
  const digest = (text: string): Uint8Array => createHash('sha256').update(text).digest();

  it('holds each once, a whole register of them in little memory', () => {
    const set = new DigestSet();
    const before = process.memoryUsage().arrayBuffers;
    for (let i = 0; i < 100_000; i++) expect(set.add(digest(`client ${i}`))).toBe(true);
    expect((process.memoryUsage().arrayBuffers - before) / 100_000).toBeLessThan(80);
    for (let i = 0; i < 100_000; i += 7) expect(set.add(digest(`client ${i}`))).toBe(false);
    expect(set.size).toBe(100_000);
    expect(set.add(digest('client 100000'))).toBe(true);
    expect(set.add(new Uint8Array(32))).toBe(true);
    expect(set.add(new Uint8Array(32))).toBe(false);
  });
});

describe('tokens that wait', () => {
  const spools = { 'in memory': spoolInMemory, 'in a sealed file': () => sealedSpool(folder) };

  it.each(Object.entries(spools))('%s come out as they went in, twice if need be', (_, open) => {
    const spool = open();
    const batches = new TokenBatches(['bsn', 'name+birthdate'], spool);
    const all = tokens(700);
    all.forEach((token, i) => batches.add('bsn', { token, ...(i % 3 === 0 && { until: 20_000 + i }) }));
    for (const token of tokens(3, 'name')) batches.add('name+birthdate', { token });
    const canary = new Map([['bsn', utf8ToBytes('canary')]]);
    for (let time = 0; time < 2; time++) {
      const out = [...batches.batches(canary)];
      expect(out.map(({ tokenType, tokens: { length } }) => [tokenType, length])).toEqual([
        ['bsn', 256],
        ['bsn', 256],
        ['bsn', 189],
        ['name+birthdate', 3],
      ]);
      const bsn = out.filter(({ tokenType }) => tokenType === 'bsn').flatMap((batch) => batch.tokens);
      expect(bsn.slice(0, 700).map(({ token }) => Buffer.from(token).toString())).toEqual(
        all.map((token) => Buffer.from(token).toString()),
      );
      expect(bsn[3]?.until).toBe(20_003);
      expect(bsn[4]?.until).toBeUndefined();
      expect(bsn.at(-1)?.token).toEqual(utf8ToBytes('canary'));
    }
    expect([batches.countOf('bsn'), batches.countOf('name+birthdate')]).toEqual([700, 3]);
    expect(readdirSync(folder)).toEqual([]);
    spool.close();
  });

  it('are refused where they cannot be written', () => {
    expect(() => sealedSpool(join(folder, 'missing'))).toThrow(/storage-failed/);
  });
});

describe('the progress of an import', () => {
  let shown = '';
  const terminal = (interactive: boolean) => ({
    interactive,
    out: () => undefined,
    err: (text: string) => void (shown += text),
  });
  afterEach(() => (shown = ''));

  it('is a bar with rate and time left on a screen', () => {
    let now = 0;
    const progress = progressTo(terminal(true), 'auto', 'zaken', () => now);
    for (let done = 0; done <= 10_000; done += 500, now += 1_000) progress(done, 10_000);
    expect(shown).toContain(
      '\rzaken ███████████████░░░░░░░░░░░░░░░ 5000/10000 pseudonyms, 500 a second, 10 s left',
    );
    expect(shown.endsWith('10000/10000 pseudonyms\u001b[K\n')).toBe(true);
  });

  it('is a line now and then elsewhere, and nothing when it is soon over', () => {
    let now = 0;
    const long = progressTo(terminal(false), 'auto', 'zaken', () => now);
    for (let done = 0; done <= 60_000; done += 100, now += 100) long(done, 60_000);
    expect(shown.split('\n').slice(0, 2)).toEqual([
      'zaken: 10000/60000 pseudonyms, 1000 a second, 50 s left',
      'zaken: 20000/60000 pseudonyms, 1000 a second, 40 s left',
    ]);
    shown = '';
    const short = progressTo(terminal(false), 'auto', 'zaken', () => now);
    for (let done = 0; done <= 1_000; done += 100, now += 100) short(done, 1_000);
    expect(shown).toBe('');
  });

  it('follows a change of speed', () => {
    const rate = new Rate();
    let done = 0;
    expect(rate.see(0, 0)).toBeUndefined();
    for (let second = 1; second <= 30; second++) rate.see((done += 100), 1_000 * second);
    for (let second = 31; second <= 60; second++) rate.see((done += 10), 1_000 * second);
    expect(rate.see(done + 10, 61_000)).toBeCloseTo(10);
    expect(['45 s', '3 min 20 s', '12 min', '1 h 5 min']).toEqual(
      [45_000, 200_000, 725_000, 3_900_000].map(durationText),
    );
  });
});

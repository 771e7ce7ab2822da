import { afterEach, describe, expect, it } from 'vitest';
import type { LookupResult } from '../harness/agency.ts';
import { STATEMENTS } from '../harness/agency.ts';
import type { Federation, FederationOptions } from '../harness/federation.ts';
import { KNOWN, UNKNOWN, startWaalstad, validNumbers } from './support/waalstad.ts';

const outcomes = ({ persons }: LookupResult): string[] =>
  (persons[0]?.registers ?? []).map(({ register, status, reason }) =>
    [register, status, reason ?? ''].join(' ').trim(),
  );

describe('P6: unlimited asking is impossible, at the gateway and at each node by itself', () => {
  let federation: Federation;

  afterEach(() => federation.close());

  /** How many single-person lookups an asker gets answered out of `attempts`. */
  async function sweep(options: Partial<FederationOptions>, attempts: number): Promise<number> {
    federation = await startWaalstad({ tap: false, ...options });
    let answered = 0;
    for (const bsn of validNumbers(600_000_000, attempts)) {
      const result = await federation
        .agency('vragen')
        .lookup([{ bsn }])
        .catch(() => undefined);
      if (result?.complete === true) answered++;
    }
    return answered;
  }

  /** What a professional, or an agency, may ask about in a day; none may ask more than the whole agency. */
  const quota = (holder: 'professional' | 'agency', limit: number) => (yaml: string) =>
    yaml.replace(
      holder === 'agency' ? /day: 1000000/g : 'professional: { day: 1000000',
      holder === 'agency' ? `day: ${limit}` : `professional: { day: ${limit}`,
    );

  it('stops a sweep at the gateway, per professional and per agency', async () => {
    expect(await sweep({ configurePolicy: quota('professional', 7) }, 10)).toBe(7);
    await federation.close();
    expect(await sweep({ configurePolicy: quota('agency', 6) }, 10)).toBe(6);
  });

  it('stops a sweep at each node, when the gateway lets everything through', async () => {
    expect(await sweep({ nodeQuota: 5 }, 8)).toBe(5);
    expect(outcomes(await federation.agency('vragen').lookup([KNOWN]))).toEqual([
      'politie/incidenten refused node-quota-agency',
      'politie/zorgmeldingen refused node-quota-agency',
      'reclassering/toezicht refused node-quota-agency',
    ]);
  });

  it('stops all agencies together at each node, so that a gateway that invents agencies gains nothing', async () => {
    federation = await startWaalstad({ tap: false, nodeQuotaOfAll: 5 });
    const registers = ['reclassering/toezicht'];
    let answered = 0;
    for (const asker of ['vragen', 'politie', 'reclassering'])
      for (let i = 0; i < 3; i++)
        answered += outcomes(await federation.agency(asker).lookup([UNKNOWN], { registers })).filter(
          (outcome) => outcome === 'reclassering/toezicht not-known',
        ).length;
    expect(answered).toBe(5);
  });

  it('would let everything through otherwise: the same sweep without quotas', async () => {
    expect(await sweep({}, 10)).toBe(10);
  });

  it('slows a sweep down long before that, at the agency that asks: numbers in a row stand out', async () => {
    const signals = (yaml: string): string =>
      yaml
        .replace('consecutiveNumbers: 100', 'consecutiveNumbers: 5')
        .replace('slowDownSeconds: 0', 'slowDownSeconds: 30');
    expect(await sweep({ configurePolicy: signals }, 10)).toBe(5);
    const asker = federation.agency('vragen');
    expect(await asker.run('log')).toMatch(/signal {2}consecutive-numbers {2}by j\.jansen {2}5 persons/);
    await expect(asker.lookup([KNOWN])).rejects.toThrow('"rule":"slowed-down"');
    // Others at the same agency work on.
    expect((await asker.lookup([KNOWN], { professional: 'p.pietersen' })).complete).toBe(true);
  });

  it('counts persons rather than lookups, and says when to try again', async () => {
    federation = await startWaalstad({ tap: false, configurePolicy: quota('agency', 6) });
    const asker = federation.agency('vragen');
    await asker.lookup([KNOWN, UNKNOWN, UNKNOWN, UNKNOWN]);
    const response = await asker.fetch('POST', '/v1/lookups', {
      purpose: 'casusoverleg-zvh',
      caseReference: 'ZVH-2026-0002',
      professional: 'j.jansen',
      role: 'case-worker',
      statements: STATEMENTS['casusoverleg-zvh'],
      persons: [{ bsn: KNOWN.bsn }, { bsn: UNKNOWN.bsn }, { bsn: UNKNOWN.bsn }],
    });
    expect(response.status).toBe(429);
    expect(Number(response.headers.get('retry-after'))).toBeGreaterThan(0);
    expect(await response.json()).toMatchObject({
      code: 'quota-exceeded',
      status: 429,
      rule: 'quota-agency-day',
    });
    expect((await asker.lookup([KNOWN, UNKNOWN])).complete).toBe(true);
  });

  it('remembers what was asked over a restart of the node, and of the gateway', async () => {
    federation = await startWaalstad({
      tap: false,
      nodeQuota: 2,
      configurePolicy: quota('agency', 4),
    });
    const asker = federation.agency('vragen');
    const reclassering = federation.agency('reclassering');
    await asker.lookup([KNOWN, UNKNOWN], { registers: ['reclassering/toezicht'] });
    await reclassering.stop();
    await reclassering.start();
    await reclassering.ready();
    expect(outcomes(await asker.lookup([KNOWN], { registers: ['reclassering/toezicht'] }))).toEqual([
      'reclassering/toezicht refused node-quota-agency',
    ]);
    await asker.lookup([KNOWN], { registers: ['politie/incidenten'] });
    await federation.stopGateway();
    await federation.startGateway();
    await reclassering.ready();
    await expect(asker.lookup([KNOWN])).rejects.toThrow('quota-exceeded');
  });
});

import type { Backend } from '@hitmachine/protocol';
import { concatBytes, createSuite, deriveKeyPair } from '@hitmachine/protocol';
import { describe, expect, it } from 'vitest';
import { measureAgent } from '../../bench/agent-figures.ts';
import { sodium, suite } from '../../bench/backends.ts';
import { ASSUMED, countryPage, planCountry } from '../../bench/country.ts';
import { QUICK_FEDERATION, measureFederation, processorAt } from '../../bench/federation-figures.ts';
import type { ArithmeticCosts } from '../../bench/load-arithmetic.ts';
import { arithmeticOf } from '../../bench/load-arithmetic.ts';
import { MEAN_PERSONS } from '../../bench/load-pool.ts';
import { measureHandOver } from '../../bench/hand-over-figures.ts';
import { slopeOf } from '../../bench/slope.ts';
import { measureAnswers } from '../../bench/matching-answers.ts';
import { measureAsker } from '../../bench/matching-asker.ts';
import { measureGateway } from '../../bench/matching-gateway.ts';
import { measureMultiplications } from '../../bench/matching-multiplications.ts';
import { measureTables } from '../../bench/matching-tables.ts';
import { measureAgainstPsi, measureLookups } from '../../bench/peer-lookups.ts';
import { QUICK } from '../../bench/rounds.ts';
import type { Spread } from '../../bench/statistics.ts';
import { evaluateAll } from '../../gateway/src/adapters/worker/evaluation.ts';
import { secureRandom } from '../../node-agent/src/random.ts';

/** Small enough to be quick, and of two size classes. What comes out says nothing about speed. */
const SIZES = { small: 400, large: 3_000 };

function expectMeasured(spreads: readonly Spread[]): void {
  expect(spreads.length).toBeGreaterThan(0);
  for (const { low, median, high } of spreads) {
    expect(low).toBeGreaterThan(0);
    expect(median).toBeGreaterThanOrEqual(low);
    expect(high).toBeGreaterThanOrEqual(median);
    expect(high).toBeLessThan(Infinity);
  }
}

describe('npm run bench', () => {
  it('measures multiplications', async () => {
    const { perSecond, nativeMissing } = await measureMultiplications(QUICK);
    expectMeasured(Object.values(perSecond));
    expect(Object.keys(perSecond).length).toBe(nativeMissing === undefined ? 4 : 3);
  });

  it('measures answers, which are right', async () => {
    const { answers, log, ...ratios } = await measureAnswers(QUICK, SIZES);
    expect(answers.length).toBe(6);
    for (const answer of answers) {
      expectMeasured([answer.perSecond, answer.vsMultiplications, answer.frames]);
      expect(answer.answerBytes).toBeGreaterThan(answer.questionBytes);
    }
    expectMeasured([...Object.values(ratios), log.cost, log.wait]);
  });

  it('measures the asker, the gateway, imports and tables', async () => {
    expectMeasured(Object.values(await measureAsker(QUICK, SIZES.small)));
    const { costs, requestBytes, responseBytes } = await measureGateway(QUICK);
    expectMeasured(Object.values(costs));
    expect(responseBytes).toBeGreaterThan(requestBytes);
    expectMeasured(Object.values(await measureTables(QUICK, SIZES)));
  });
});

describe('npm run bench:peers', () => {
  it('measures a lookup beside those that are there, and says of the others that they are not', async () => {
    const peers = { psi: 'no network', voprf: 'no network', remove: () => undefined };
    expect(await measureAgainstPsi(peers, SIZES.small, QUICK)).toBeUndefined();
    const { peers: measured } = await measureLookups(peers, SIZES.large, QUICK);
    expect(measured.map(({ sides }) => sides.map(({ side }) => side))).toEqual([
      ['holder', 'gateway', 'asker'],
      ['holder', 'asker'],
    ]);
    expectMeasured(measured.flatMap(({ sides }) => sides.map(({ cost }) => cost)));
  });
});

describe('npm run bench:load', () => {
  it('takes slopes as they are defined', () => {
    const line = [1, 5, 20].map((nodes) => [nodes, 3 + 2 * nodes] as const);
    expect(slopeOf(line)).toBeCloseTo(2, 12);
  });

  it('counts the group arithmetic that a lookup really takes', () => {
    const counted = { multiply: 0, multiplyBase: 0, add: 0 };
    const group: Backend['group'] = {
      ...sodium.group,
      multiply: (k, element) => (counted.multiply++, sodium.group.multiply(k, element)),
      multiplyBase: (k) => (counted.multiplyBase++, sodium.group.multiplyBase(k)),
      add: (a, b) => (counted.add++, sodium.group.add(a, b)),
    };
    const counting = createSuite('voprf', { ...sodium, group });
    const key = deriveKeyPair(suite, secureRandom(32), new Uint8Array(0));
    const elements = Array.from({ length: 6 }, () => sodium.group.fromUniformBytes(secureRandom(64)));
    evaluateAll(counting, key, concatBytes(...elements), { proof: true, random: secureRandom });
    // Two for each element and two for the proof, one of the generator, and the shares added up.
    expect(counted).toEqual({ multiply: 2 * 6 + 2, multiplyBase: 1, add: 6 - 1 });
    // As they are counted: with costs of which one shows at a time.
    const persons = MEAN_PERSONS;
    const of = (costs: Partial<ArithmeticCosts>): number =>
      arithmeticOf({ multiplication: 0, base: 0, addition: 0, ...costs }, 3, 5);
    expect(of({ multiplication: 1 })).toBeCloseTo(2 * 3 * persons + 2 + 5 * 2 * persons, 9);
    expect([of({ base: 1 }), of({ addition: 1 })]).toEqual([1, 3 * persons - 1]);
  });
});

describe('npm run bench:federation', () => {
  const flat = (value: number): Spread => ({ low: value, median: value, high: value });
  const at = [10, 50].map((nodes) => ({
    ...{ nodes, first: flat(1), p95: flat(1), last: flat(1), processor: flat(2 * nodes), memory: flat(1) },
  }));
  const figures = { at, questionBytes: 100, answerBytes: 900, lookupDisk: 1_000, answerDisk: 100 };

  it('plans by the arithmetic that it shows', () => {
    expect(processorAt(at, 40)).toBe(80);
    const plan = planCountry(figures);
    expect(plan.lookupsADay).toBe(342 * 20 + 31 * 100);
    expect(plan.lookupCpuMs).toBeCloseTo(ASSUMED.beside * ASSUMED.persons * 80, 9);
    expect(plan.lookupBytes).toBe(40 * 1_000);
    expect(plan.diskGigabytesAYear).toBeCloseTo((plan.lookupsADay * 250 * 5_000) / 1e9, 9);
    expect(countryPage(figures)).toContain(`| ${plan.replicas} |`);
  });

  it('measures the real gateway with simulated nodes', async () => {
    const { at: measured, ...disk } = await measureFederation(QUICK_FEDERATION, () => undefined);
    expect(measured.map(({ nodes }) => nodes)).toEqual(QUICK_FEDERATION.nodes);
    for (const { nodes: _, ...spreads } of measured) expectMeasured(Object.values(spreads));
    expect(disk.answerBytes).toBeGreaterThan(1_000);
    expect(disk.answerDisk).toBeGreaterThan(50);
  }, 60_000);
});

describe('npm run bench:agent', () => {
  it('imports, asks meanwhile, kills and restarts the real programs, which answer rightly', async () => {
    const effort = { clients: 1_500, imported: 1_200, lookups: 6, limit: { tokens: 20, everyMs: 500 } };
    const {
      limit,
      idle,
      underImport,
      unanswered,
      serveBytes: _,
      ...figures
    } = await measureAgent(effort, () => undefined);
    expectMeasured([limit]);
    // A small register takes no memory that could be told from what the runtime takes.
    const { importBytes: __, bytesPerClient: ___, ...positive } = figures;
    for (const [name, figure] of Object.entries(positive)) {
      expect(figure, name).toBeGreaterThan(0);
      expect(figure, name).toBeLessThan(Infinity);
    }
    expect(idle.lookups).toBe(6);
    expect(underImport.p95).toBeGreaterThanOrEqual(underImport.median);
    expect(unanswered).toBeLessThan(underImport.lookups);
  }, 180_000);
});

describe('npm run bench:hand-over', () => {
  it('hands over beside lookups, which are answered rightly', async () => {
    const lines: string[] = [];
    const figures = await measureHandOver({ clients: 300, idleMs: 200, again: false }, (line) =>
      lines.push(line),
    );
    for (const what of ['Seconds', 'LongestGapMs', 'Peak', 'AgentPeak'])
      expect(figures[`first${what}`], what).toBeGreaterThan(0);
    expect(lines.filter((line) => line.includes(' lookups, an answer every '))).toHaveLength(2);
  }, 180_000);
});

import { describe, expect, it } from 'vitest';
import { HitError } from '@hitmachine/protocol';
import { GatewayPatience } from '../../node-agent/src/domain/importing/gateway-patience.ts';

const away = new HitError('gateway-unreachable', 'no connection');

describe('patience with the gateway', () => {
  it('makes a request again until it succeeds, and tells once that it waits and once that it goes on', async () => {
    const told: (string | undefined)[] = [];
    const patience = new GatewayPatience({ waiting: (reason) => told.push(reason) });
    let tries = 0;
    const work = async (): Promise<string> => (++tries < 3 ? Promise.reject(away) : Promise.resolve('done'));
    expect(await patience.run(work)).toBe('done');
    expect([tries, told]).toEqual([3, ['no connection', undefined]]);
  });

  it('ends when nothing has succeeded for as long as it waits', async () => {
    const patience = new GatewayPatience({ patienceMs: 1_500 });
    const began = performance.now();
    await expect(patience.run(() => Promise.reject(away))).rejects.toBe(away);
    expect(performance.now() - began).toBeGreaterThan(1_400);
    expect(performance.now() - began).toBeLessThan(10_000);
  });

  it('does not wait for what does not pass by itself', async () => {
    const used = new HitError('quota-exceeded');
    const patience = new GatewayPatience({ waiting: () => expect.unreachable() });
    await expect(patience.run(() => Promise.reject(used))).rejects.toBe(used);
  });

  it('ends at once when it is told to', async () => {
    const stop = new AbortController();
    const patience = new GatewayPatience({ stopped: stop.signal, waiting: () => stop.abort() });
    await expect(patience.run(() => Promise.reject(away))).rejects.toMatchObject({ name: 'AbortError' });
  });
});

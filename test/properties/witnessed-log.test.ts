import { cpSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { TestAgency } from '../harness/agency.ts';
import { knownAt } from '../harness/agency.ts';
import { Federation } from '../harness/federation.ts';

interface Status {
  readonly problems: readonly string[];
  readonly log: {
    readonly entries?: number;
    readonly cosigned?: number;
    readonly published?: { readonly entries: number; readonly partners: number };
    readonly unproved: number;
    readonly alarms: readonly { readonly kind: string }[];
  };
}

const PERSON = { bsn: '999990019' };
const REGISTERS = ['gemeente/zaken', 'politie/zaken'];

describe('a log that all partners watch', () => {
  let federation: Federation;

  beforeEach(async () => {
    federation = await Federation.start({
      agencies: {
        politie: [{ id: 'zaken', tokenTypes: ['bsn'] }],
        gemeente: [{ id: 'zaken', tokenTypes: ['bsn'] }],
      },
      publishEveryMs: 100,
    });
    for (const agency of federation.agencies.values()) await agency.import('zaken', [PERSON]);
    await federation.serveAll();
  });

  afterEach(() => federation.close());

  const agency = (id: string): TestAgency => federation.agency(id);
  const statusOf = async (id: string): Promise<Status> =>
    (await agency(id).call('GET', '/v1/status')) as Status;
  const alarmsOf = async (id: string): Promise<string[]> =>
    (await statusOf(id)).log.alarms.map(({ kind }) => kind);
  const ask = (id: string) => agency(id).lookup([PERSON], { registers: REGISTERS });
  async function until(what: () => Promise<boolean>, withinMs = 30_000): Promise<void> {
    for (const end = performance.now() + withinMs; !(await what()); await delay(50))
      if (performance.now() > end) throw new Error('it did not come to that');
  }
  /** Until both agents have cosigned all that there is, and have seen each other's signature under it. */
  const witnessed = (): Promise<void> =>
    until(async () => {
      const logs = await Promise.all(['politie', 'gemeente'].map(async (id) => (await statusOf(id)).log));
      return logs.every(({ published, cosigned }) => published?.partners === 1 && cosigned !== undefined);
    });
  /** Stops the gateway, does something with its files, and starts it again. */
  async function meanwhile(work: (folder: string) => void): Promise<void> {
    await federation.stopGateway();
    work(federation.gatewayFolder);
    await federation.startGateway();
  }
  const save = (to: string) => (folder: string) =>
    cpSync(folder, join(federation.folder, to), { recursive: true });
  const putBack = (from: string) => (folder: string) => {
    rmSync(folder, { recursive: true });
    cpSync(join(federation.folder, from), folder, { recursive: true });
  };
  const fingerprintIn = (text: string): string =>
    /shown by the gateway +\d+ +([0-9a-f-]{39})/.exec(text)?.[1] ?? '';
  async function trust(id: string): Promise<void> {
    const explained = await agency(id).run('trust', 'log');
    expect(explained).toContain('backup');
    await agency(id).run('trust', 'log', '--fingerprint', fingerprintIn(explained));
    await until(async () => (await alarmsOf(id)).length === 0);
  }

  it('is cosigned by everybody, gives receipts that hold, and bears restarts without an alarm', async () => {
    const { lookupId } = await ask('gemeente');
    await witnessed();
    await meanwhile(() => undefined);
    await agency('politie').stop();
    await agency('politie').start();
    for (const id of ['politie', 'gemeente']) await agency(id).ready();
    expect(knownAt(await ask('politie')).sort()).toEqual(REGISTERS);
    await witnessed();
    // What was not there yet when an agent connected anew is looked for again within a minute.
    await until(async () => (await statusOf('gemeente')).log.unproved === 0, 90_000);
    expect([...(await alarmsOf('politie')), ...(await alarmsOf('gemeente'))]).toEqual([]);

    const file = join(federation.folder, 'receipt.txt');
    await agency('gemeente').run('receipt', lookupId, '--out', file);
    expect(await agency('gemeente').run('receipt', 'verify', file)).toContain('signed by gemeente');
    // A partner can check it as well, without asking anybody.
    expect(await agency('politie').run('receipt', 'verify', file)).toContain('good: entry');
    const altered = join(federation.folder, 'altered.txt');
    writeFileSync(altered, readFileSync(file, 'utf8').replace('casusoverleg-zvh', 'casusoverleg-zvx'));
    const { code, out } = await agency('politie').tryRun('receipt', 'verify', file, altered);
    expect(code).toBe(1);
    expect(out).toMatch(/altered\.txt: NOT VALID/);
    expect(await agency('gemeente').run('log', 'alarms')).toContain('No alarms');
    expect(await agency('gemeente').run('trust', 'log')).toContain('Nothing is wrong');
    expect((await agency('politie').tryRun('receipt', lookupId)).code).toBe(1);
  }, 150_000);

  it('is found out when its database was put back, and goes on when the administrators say so', async () => {
    await ask('gemeente');
    await witnessed();
    await meanwhile(save('backup'));
    for (const id of ['politie', 'gemeente']) await agency(id).ready();
    await ask('gemeente');
    await ask('politie');
    await witnessed();
    await meanwhile(putBack('backup'));
    await until(
      async () => (await alarmsOf('politie')).length > 0 && (await alarmsOf('gemeente')).length > 0,
    );
    for (const id of ['politie', 'gemeente']) {
      expect((await alarmsOf(id)).every((kind) => kind === 'rollback' || kind === 'fork')).toBe(true);
      await expect(ask(id)).rejects.toThrow('log-inconsistent');
      expect(await agency(id).run('log', 'alarms')).toContain('waalstad.hitmachine/log');
    }
    expect((await agency('politie').fetch('GET', '/readyz')).status).toBe(503);

    // A wrong fingerprint changes nothing.
    const before = await agency('politie').tryRun('trust', 'log', '--fingerprint', '0000-0000');
    expect(before.code).toBe(1);
    for (const id of ['politie', 'gemeente']) await trust(id);
    for (const id of ['politie', 'gemeente']) await agency(id).ready();
    expect(knownAt(await ask('gemeente')).sort()).toEqual(REGISTERS);
    expect(knownAt(await ask('politie')).sort()).toEqual(REGISTERS);
    await witnessed();
    expect([...(await alarmsOf('politie')), ...(await alarmsOf('gemeente'))]).toEqual([]);
    expect(await agency('politie').run('log', 'alarms', '--all')).toContain('settled');
  });

  it('is found out when two agencies were shown two logs, as soon as they get to see one', async () => {
    await witnessed();
    await agency('gemeente').stop();
    await meanwhile(save('common'));
    // One agency lives on one log for a while, and the other on the other.
    await agency('politie').ready();
    await until(async () => ((await statusOf('politie')).log.cosigned ?? 0) > 0);
    await agency('politie').lookup([PERSON], { registers: ['politie/zaken'] });
    expect(await alarmsOf('politie')).toEqual([]);
    await agency('politie').stop();
    await meanwhile((folder) => {
      save('one')(folder);
      putBack('common')(folder);
    });
    await agency('gemeente').start();
    await agency('gemeente').ready();
    for (let i = 0; i < 3; i++) await agency('gemeente').lookup([PERSON], { registers: ['gemeente/zaken'] });
    // Each of them sees a log that only grows: nothing to be noticed so far.
    expect(await alarmsOf('gemeente')).toEqual([]);
    await agency('politie').start();
    await until(async () => (await alarmsOf('politie')).length > 0);
    expect((await alarmsOf('politie'))[0]).toMatch(/fork|rollback/);
    // The agency that was shown the log that stays has no reason to stop; it gets no answer from the other.
    const result = await ask('gemeente');
    const status = Object.fromEntries(result.persons[0]!.registers.map((one) => [one.register, one.status]));
    expect(status).toEqual({ 'politie/zaken': 'no-answer', 'gemeente/zaken': 'known' });
  });
});

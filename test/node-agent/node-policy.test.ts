import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { NODE_POLICY_TEMPLATE, readNodePolicy } from '../../node-agent/src/node-policy-file.ts';
import { knownAt } from '../harness/agency.ts';
import { Federation } from '../harness/federation.ts';
import { StandInGateway } from './support/gateway.ts';
import { TestNode, numbers, registerOf, wordOf } from './support/node.ts';

const [known, stranger] = numbers(2, 500_000_000) as [string, string];

describe('policy.yaml of an agency', () => {
  const folder = mkdtempSync(join(tmpdir(), 'hitmachine-policy-'));
  const file = join(folder, 'policy.yaml');

  afterAll(() => rmSync(folder, { recursive: true }));

  it.each([
    [
      'a misspelt name',
      'quotas:\n  personsPerWeek: 3\n',
      /policy\.yaml:2:3: quotas: not known here: personsPerWeek/,
    ],
    [
      'a quota of nothing',
      'quotas:\n  personsPerDay: 0\n',
      /policy\.yaml:2:3: quotas\.personsPerDay: at least 1/,
    ],
    [
      'a day that there is not',
      'hours:\n  days: [mon, zon]\n  from: "08:00"\n  until: "17:00"\n',
      /policy\.yaml:2:15: hours\.days\.1: /,
    ],
    ['something missing', 'hours: { days: [mon] }\n', /policy\.yaml:1:1: hours\.from: is missing/],
    [
      'a text in the place of rules',
      'all: nobody\n',
      /policy\.yaml:1:1: all: an object with fields is wanted/,
    ],
    ['something that is no YAML', 'all: [1\n', /policy\.yaml: line \d/],
    [
      'a name twice',
      'answering: true\nanswering: false\n',
      /policy\.yaml: line 2: this name stands here twice/,
    ],
  ])('is refused with %s, by line and column', (_, yaml, message) => {
    writeFileSync(file, yaml);
    expect(() => readNodePolicy(file)).toThrow(
      expect.objectContaining({ code: 'config-invalid', detail: expect.stringMatching(message) as string }),
    );
  });

  it('may be missing, or be the one that init writes: the usual limits then', () => {
    const usual = readNodePolicy(join(folder, 'none.yaml'));
    expect(usual.quotas).toEqual({ personsPerAgencyPerDay: 500, personsPerDay: 5_000, agencies: {} });
    writeFileSync(file, NODE_POLICY_TEMPLATE);
    expect(readNodePolicy(file)).toEqual(usual);
  });

  it('can be what the comments of that file say, all of it', () => {
    const filled = NODE_POLICY_TEMPLATE.replaceAll(
      /^( *)# (?=( *)(all|agencies|purposes|roles|breakGlass|registers|verslavingszorg|hours|days|from|until|evenInNeed):)/gm,
      '$1',
    );
    writeFileSync(file, filled);
    expect(readNodePolicy(file)).toMatchObject({
      all: { agencies: ['waalstad', 'politie'], roles: ['information-coordinator'] },
      registers: { verslavingszorg: { breakGlass: false } },
      hours: { from: '08:00' },
      quotas: { agencies: { schuldhulp: 50 } },
    });
  });
});

describe('what a node refuses by its own rules', () => {
  let gateway: StandInGateway;
  let police: TestNode;
  let asker: TestNode;

  beforeEach(async () => {
    gateway = new StandInGateway();
    police = await TestNode.join(gateway, 'politie', {
      registers: [registerOf('zaken', ['bsn']), registerOf('meldingen', ['bsn'])],
    });
    await police.import([known], police.registers[0]);
    await police.import([known], police.registers[1]);
    asker = await TestNode.join(gateway, 'gemeente', { registers: [] });
    await police.roster.accept(gateway.sign());
    await police.upkeep();
  });

  afterEach(() => Promise.all([asker.close(), police.close()]));

  const apply = async (policy: object): Promise<void> => {
    police.policy = { ...police.policy, ...policy };
    police.policyKeeper.check();
  };
  const ask = async (change = {}) => {
    const [result] = await asker.ask([known], change);
    return Object.fromEntries(Object.entries(result!).map(([name, outcome]) => [name, wordOf(outcome)]));
  };
  const events = async (): Promise<string[]> =>
    (await police.agencyLog.read(0, 50)).map(({ event, detail }) => {
      const { reason } = detail as { reason?: string };
      return reason === undefined ? event : `${event} ${reason}`;
    });

  it('is what was allowed by a policy that it does not have yet', async () => {
    gateway.changePolicy({});
    expect((await ask())['politie/zaken']).toBe('refused: policy-version');
    await police.roster.accept(gateway.sign());
    expect((await ask())['politie/zaken']).toBe('known');
  });

  it('is each register by itself, and the other answers', async () => {
    await apply({ registers: { meldingen: { purposes: ['jeugdbescherming'], breakGlass: true } } });
    expect(await ask()).toEqual({
      'politie/zaken': 'known',
      'politie/meldingen': 'refused: node-purpose',
    });
    expect(await events()).toEqual(['answered']);
  });

  it('is called refused in the log when no register answers, and counts for no quota', async () => {
    await apply({
      all: { agencies: ['elders'], breakGlass: true },
      quotas: { personsPerAgencyPerDay: 1, personsPerDay: 1, agencies: {} },
    });
    expect(await ask()).toEqual({
      'politie/zaken': 'refused: node-agency',
      'politie/meldingen': 'refused: node-agency',
    });
    expect(await events()).toEqual(['refused node-agency']);
    await apply({ all: { breakGlass: true } });
    expect((await ask())['politie/zaken']).toBe('known');
    expect((await ask())['politie/zaken']).toBe('refused: node-quota-agency');
  });

  it('is everything, at once, when answering is stopped, and a restart does not change that', async () => {
    expect((await ask())['politie/zaken']).toBe('known');
    await police.state.setStoppedAnswering({ since: gateway.now, reason: 'lek bij de leverancier' });
    expect((await ask())['politie/zaken']).toBe('refused: stopped');
    await police.restart();
    expect((await ask())['politie/zaken']).toBe('refused: stopped');
    expect((await police.status()).answering).toEqual({
      stopped: true,
      since: '2026-03-02T12:00:00.000Z',
      reason: 'lek bij de leverancier',
    });
    expect((await police.status()).notices.join()).toMatch(
      /nothing is answered since .*: lek bij de leverancier/,
    );
    await police.state.setStoppedAnswering(undefined);
    await police.canary();
    expect((await ask())['politie/zaken']).toBe('known');
  });

  it('is everything outside its hours, by Dutch time', async () => {
    await apply({ hours: { days: ['mon'], from: '08:00', until: '13:00', evenInNeed: false } });
    // Noon in UTC: the office has closed at one.
    expect((await ask())['politie/zaken']).toBe('refused: closed');
    gateway.now -= 1_000;
    await police.canary();
    expect((await ask())['politie/zaken']).toBe('known');
  });

  it('tells nothing of the person: one who is known and one who is not get the same, in the same size', async () => {
    const sizes: unknown[] = [];
    gateway.changeReport = (report) => {
      sizes.push([report.outcome, report.ciphertext?.length]);
      return report;
    };
    for (const policy of [
      { all: { agencies: ['elders'], breakGlass: true } },
      { all: { breakGlass: true }, registers: { zaken: { agencies: ['elders'], breakGlass: true } } },
      { registers: {}, answering: false },
    ]) {
      await apply(policy);
      const before = (await police.agencyLog.head()).sequence;
      const outcomes: unknown[] = [];
      for (const bsn of [known, stranger]) {
        const [result] = await asker.ask([bsn]);
        outcomes.push(result!['politie/zaken']);
      }
      expect(outcomes[0]).toEqual(outcomes[1]);
      expect(sizes.at(-1)).toEqual(sizes.at(-2));
      // Nor does what the node writes down.
      const [one, other] = (await police.agencyLog.read(before, 2)).map(({ event, detail }) => [
        event,
        { ...(detail as object), evidence: '', evidenceSignature: '' },
      ]);
      expect(one).toEqual(other);
    }
  });
});

describe('the rules of a running agent', () => {
  let federation: Federation;
  const police = () => federation.agency('politie');
  const write = (yaml: string): void => writeFileSync(join(police().folder, 'policy.yaml'), yaml);
  const status = async () =>
    (await police().call('GET', '/v1/status')) as {
      problems: string[];
      notices: string[];
      answering: object;
    };
  const reason = async () =>
    (await federation.agency('gemeente').lookup([{ bsn: known }], { registers: ['politie/zaken'] }))
      .persons[0]!.registers[0]!.reason;
  async function until(what: () => Promise<boolean>): Promise<void> {
    for (let i = 0; !(await what()); i++) {
      if (i > 100) throw new Error('it did not come to that');
      await delay(100);
    }
  }

  beforeAll(async () => {
    federation = await Federation.start({
      agencies: { politie: [{ id: 'zaken', tokenTypes: ['bsn'] }], gemeente: [] },
    });
    await police().import('zaken', [{ bsn: known }]);
    await federation.serveAll();
  });

  afterAll(() => federation.close());

  it('are those of the file within seconds, and stay when the file is broken', async () => {
    expect(
      knownAt(await federation.agency('gemeente').lookup([{ bsn: known }], { registers: ['politie/zaken'] })),
    ).toEqual(['politie/zaken']);
    write('all: { agencies: [elders] }\n');
    await until(async () => (await reason()) === 'node-agency');
    expect((await status()).notices.join('\n')).toMatch(
      /policy\.yaml: all\.agencies\.0: no agency is called elders; there are gemeente, politie/,
    );
    write('all: { agencies: 3 }\n');
    await until(async () => (await status()).notices.join().includes('was refused'));
    expect((await status()).notices.join('\n')).toMatch(
      /policy\.yaml was refused, and the one before it stays: .*policy\.yaml:1:8: all\.agencies: /,
    );
    expect(await reason()).toBe('node-agency');
    // A file that somebody emptied by mistake opens nothing; one that says so does.
    write('');
    await until(async () => (await status()).notices.join().includes('it is gone or empty'));
    expect(await reason()).toBe('node-agency');
    write('{}\n');
    await until(async () => (await reason()) === undefined);
    expect((await status()).notices.join()).not.toContain('refused');
  });

  it('can be stopped by one command, and be let go on by another', async () => {
    expect(await police().run('answering', 'off', '--reason', 'storing')).toContain('answers nothing');
    expect(await reason()).toBe('stopped');
    expect((await status()).answering).toMatchObject({ stopped: true, reason: 'storing' });
    await police().stop();
    await police().start();
    await until(async () => (await reason()) === 'stopped');
    expect(await police().run('answering', 'on')).toContain('answers again');
    await police().ready();
    await until(async () => (await reason()) === undefined);
    expect((await police().tryRun('answering', 'maybe')).code).toBe(1);
  });

  it('are checked by a command, against the roster too', async () => {
    const file = join(federation.folder, 'proposed.yaml');
    writeFileSync(
      file,
      'all:\n  purposes: [casusoverleg-zvh]\nregisters:\n  zakken: { agencies: [gemente] }\nquotas:\n  agencies:\n    gemeente: 5\n',
    );
    const { code, err } = await police().tryRun('policy', 'validate', file);
    expect(code).toBe(1);
    expect(err).toMatch(
      /proposed\.yaml:4:3: registers\.zakken: no register of this agency is called zakken; there are zaken/,
    );
    expect(err).toMatch(
      /proposed\.yaml:4:\d+: registers\.zakken\.agencies\.0: no agency is called gemente; there are gemeente, politie/,
    );
    writeFileSync(file, 'all:\n  purposes: [casusoverlig]\n  roles: [baas]\n');
    expect((await police().tryRun('policy', 'validate', file)).err).toMatch(
      /:2:14: all\.purposes\.0: no purpose is called casusoverlig; there are casusoverleg-zvh, [^]*:3:11: all\.roles\.0: no role is called baas; there are information-coordinator/,
    );
    writeFileSync(file, 'registers:\n  zaken: { roles: [case-worker] }\n');
    expect(await police().run('policy', 'validate', file)).toMatch(
      /is valid, against version \d+ of the roster/,
    );
    // Only looked at: what the agent goes by stays.
    expect(readFileSync(join(police().folder, 'policy.yaml'), 'utf8')).toBe('{}\n');
  });

  it('are told in plain words', async () => {
    write('registers:\n  zaken: { purposes: [casusoverleg-zvh], roles: [case-worker] }\n');
    const told = await police().run('policy', 'show');
    expect(told).toMatch(/zaken +casusoverleg-zvh +all that may ask, as case-worker/);
    expect(told).toMatch(
      /zaken +jeugdbescherming +no: This register does not answer questions for this purpose\./,
    );
    expect(told).toMatch(/asked-about +subject-access +all that may ask, as privacy-officer/);
    expect(told).toContain('500 persons for one agency');
    write('');
  });
});

import { readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { gatewayFiles, openGatewayStore, readConfig } from '@hitmachine/gateway';
import type { Backend, Suite } from '@hitmachine/protocol';
import {
  createSuite,
  deriveKeyPair,
  encodeToken,
  hashToGroup,
  loadSodium,
  openKeystore,
  utf8ToBytes,
} from '@hitmachine/protocol';
import { parse, stringify } from 'yaml';
import type { TestAgency, TestPerson } from '../harness/agency.ts';
import { knownAt } from '../harness/agency.ts';
import { Federation } from '../harness/federation.ts';
import { nodeKeyOf, shapeOf } from './support/views.ts';
import { validNumbers } from './support/waalstad.ts';

const PURPOSE = 'subject-access';
const AGENCIES = ['gemeente', 'politie', 'reclassering'] as const;
const [citizen, mother, ...others] = validNumbers(300_000_000, 12) as [string, string, ...string[]];
const HOME = { postcode: '6511 AB', houseNumber: '12' };
const CITIZEN: TestPerson = {
  bsn: citizen,
  surname: 'Merkteken',
  givenNames: 'Karim',
  birthDate: '19900214',
  ...HOME,
};
const MOTHER: TestPerson = { bsn: mother, ...HOME };

describe('who asked about me?', () => {
  let federation: Federation;
  let backend: Backend;
  let suite: Suite;

  beforeAll(async () => {
    backend = await loadSodium();
    suite = createSuite('voprf', backend);
    federation = await Federation.start({
      agencies: Object.fromEntries(
        AGENCIES.map((id) => [id, [{ id: 'zaken', tokenTypes: ['bsn', 'name+birthdate', 'address'] }]]),
      ),
      tap: true,
    });
    for (const id of AGENCIES) {
      const file = join(federation.agency(id).folder, 'agent.yaml');
      const config = parse(readFileSync(file, 'utf8')) as object;
      // Half a second, so that the test need not wait for the next day.
      const subjectAccess = { refreshHours: 0.5 / 3_600 };
      const privacyOfficer = { name: `Privacyloket ${id}`, telephone: '14 024' };
      writeFileSync(file, stringify({ ...config, subjectAccess, privacyOfficer }));
    }
    // A client of the police, so that being known as a client and being asked about can be told apart.
    await federation.agency('politie').import('zaken', [CITIZEN]);
    await federation.serveAll();
    await federation.agency('gemeente').lookup([CITIZEN]);
    await federation.agency('politie').lookup([{ bsn: others[0]! }, { bsn: citizen }]);
    await federation.agency('reclassering').lookup([MOTHER]);
    await federation.agency('reclassering').lookup([{ bsn: others[1]! }]);
    await nextTables();
  });
  afterAll(() => federation.close());

  /** Resolves once each agency answers from tables that were made after this moment, or needs no others. */
  async function nextTables(): Promise<void> {
    const now = Date.now();
    for (const id of AGENCIES)
      for (;;) {
        const status = (await federation.agency(id).call('GET', '/v1/status')) as {
          problems: string[];
          epoch?: { number: number };
        };
        const made = (status.epoch?.number ?? 0) >= now || !hasNews(federation.agency(id), status.epoch);
        if (made && status.problems.length === 0) break;
        await delay(50);
      }
  }

  const hasNews = (agency: TestAgency, epoch: { number: number } | undefined): boolean => {
    const database = open(agency);
    const held = database.prepare("SELECT generation FROM imports WHERE register = 'asked-about'").get();
    const built = database.prepare('SELECT epoch, generations FROM epochs').get();
    database.close();
    const { generations } = built as { generations: string };
    return (
      (built as { epoch: number }).epoch !== epoch?.number ||
      (JSON.parse(generations) as Record<string, number>)['asked-about'] !==
        (held as { generation: number }).generation
    );
  };
  const open = (agency: TestAgency): DatabaseSync =>
    new DatabaseSync(join(agency.folder, 'agent.sqlite'), { readOnly: true });

  /** The agencies that say they have asked about this person, whichever agency it is that passes the request on. */
  async function askedAbout(person: TestPerson, at = 'reclassering'): Promise<string[]> {
    return (await answersAbout(person, at)).agencies;
  }

  /**
   * The same, with what was heard since it was asked. Registers that are made anew every half second are now and
   * then in between two tables, and say so: they are asked again.
   */
  async function answersAbout(person: TestPerson, at: string) {
    for (let attempt = 1; ; attempt++) {
      const from = federation.tap!.heard.length;
      const result = await federation.agency(at).lookup([person], { purpose: PURPOSE });
      const silent = result.persons[0]!.registers.filter(({ status }) => status === 'no-answer');
      expect(result.complete).toBe(silent.length === 0);
      if (silent.length > 0 && silent.every(({ reason }) => reason === 'starting') && attempt < 20) {
        await delay(100);
        continue;
      }
      expect(silent).toEqual([]);
      const agencies = knownAt(result).map((register) => register.replace('/asked-about', ''));
      return { agencies, heard: federation.tap!.heard.slice(from) };
    }
  }

  it('finds exactly the agencies that asked, the one that passes the request on among them', async () => {
    expect(await askedAbout(CITIZEN)).toEqual(['gemeente', 'politie']);
    expect(await askedAbout({ bsn: citizen }, 'politie')).toEqual(['gemeente', 'politie']);
    expect(await askedAbout({ bsn: others[1]! })).toEqual(['reclassering']);
    expect(await askedAbout({ bsn: others[2]! })).toEqual([]);
  });

  it('finds those who asked by another identifier than the one of the request only by that one', async () => {
    const { bsn: _, ...byName } = CITIZEN;
    expect(await askedAbout(byName)).toEqual(['gemeente']);
  });

  it('tells nobody who lives at the same address that somebody else there was asked about', async () => {
    expect(await askedAbout({ bsn: others[3]!, ...HOME })).toEqual([]);
    expect(await askedAbout(MOTHER)).toEqual(['reclassering']);
  });

  it('shows a household that was asked about by its address alone, on the address', async () => {
    const { folder } = federation.agency('gemeente');
    const home = { postcode: '6525 AA', houseNumber: '1' };
    await federation.agency('gemeente').lookup([home]);
    await nextTables();
    expect(await askedAbout({ bsn: others[4]!, ...home })).toEqual(['gemeente']);
    expect(folder).not.toBe('');
  });

  it('does not count requests like this one as questions about the person', async () => {
    const before = pseudonyms('gemeente');
    for (let i = 0; i < 2; i++) await askedAbout({ bsn: others[5]! }, 'gemeente');
    expect(pseudonyms('gemeente')).toEqual(before);
    expect(await askedAbout({ bsn: others[5]! })).toEqual([]);
  });

  it('is no part of an ordinary lookup, and names the privacy officer with a hit', async () => {
    const ordinary = await federation.agency('gemeente').lookup([CITIZEN]);
    expect(ordinary.persons[0]!.registers.map(({ register }) => register).sort()).toEqual(
      AGENCIES.map((id) => `${id}/zaken`),
    );
    const result = await federation.agency('gemeente').lookup([CITIZEN], { purpose: PURPOSE });
    expect(result.persons[0]!.registers[1]).toMatchObject({
      register: 'politie/asked-about',
      status: 'known',
      contact: { name: 'Privacyloket politie', telephone: '14 024' },
      explanation: { nl: 'heeft naar deze persoon gevraagd', en: 'has asked about this person' },
    });
    const yesterday = new Date(Date.now() - 86_400_000).toISOString().slice(0, 10);
    expect(result.persons[0]!.registers[2]).toMatchObject({
      status: 'not-known',
      upTo: yesterday,
      explanation: { nl: `heeft niet naar deze persoon gevraagd (tot en met ${yesterday})` },
    });
  });

  it('lets nobody on the way learn who it is about, or what came out', async () => {
    const during = async (person: TestPerson) => {
      const { agencies, heard: everything } = await answersAbout(person, 'reclassering');
      // Only this lookup: canaries and checkpoints go on meanwhile.
      const heard = everything.filter(
        ({ what, direction }) => what === 'POST /v1/lookups' && direction === 'to-gateway',
      );
      return { agencies, shape: shapeOf(heard.filter(({ bytes }) => !isCanary(bytes))) };
    };
    await during(CITIZEN);
    const hit = await during(CITIZEN);
    const miss = await during({ ...CITIZEN, bsn: others[6]!, surname: 'Ander' });
    expect([hit.agencies, miss.agencies]).toEqual([['gemeente', 'politie'], []]);
    expect(hit.shape).toHaveLength(1);
    expect(miss.shape).toEqual(hit.shape);
    const heard = Buffer.concat(federation.tap!.heard.map(({ bytes }) => bytes)).toString('latin1');
    for (const trace of [citizen, 'Merkteken', 'merkteken']) {
      expect(heard).not.toContain(trace);
      expect(federation.logs.text()).not.toContain(trace);
    }
  });

  const isCanary = (bytes: Uint8Array): boolean => Buffer.from(bytes).includes('"purpose":"canary"');

  const pseudonyms = (
    id: string,
  ): { token_type: string; element: Uint8Array; kept_until: string | null }[] => {
    const database = open(federation.agency(id));
    const rows = database
      .prepare("SELECT token_type, element, kept_until FROM pseudonyms WHERE register = 'asked-about'")
      .all();
    database.close();
    return rows as never;
  };

  it('keeps nothing that whoever steals the database, with one half of the key, can turn into persons', async () => {
    const nodeKey = await nodeKeyOf(federation.agency('gemeente'), backend);
    const stored = pseudonyms('gemeente').filter((row) => row.token_type === 'bsn');
    // The citizen, and the canary.
    expect(stored).toHaveLength(2);
    const sealed: unknown = JSON.parse(readFileSync(join(federation.gatewayFolder, 'keystore.json'), 'utf8'));
    const key = readFileSync(join(federation.gatewayFolder, 'key-file'));
    const { evaluationSeed } = await openKeystore(backend, { type: 'key-file', key }, sealed);
    const gatewayKey = deriveKeyPair(suite, evaluationSeed!, utf8ToBytes('hitmachine-v1 k_g')).secretKey;
    const { group } = backend;
    const found = (...keys: Uint8Array[]): string[] =>
      [citizen, ...others].filter((bsn) => {
        const point = hashToGroup(suite, encodeToken('person', 'bsn', [bsn]));
        const made = keys.reduce((element, scalar) => group.multiply(scalar, element), point);
        // With k_n a thief can also take it off what is stored.
        return stored.some(({ element }) =>
          [element, group.multiply(group.invertScalar(nodeKey), element)].some((value) =>
            Buffer.from(value).equals(made),
          ),
        );
      });
    expect([found(), found(nodeKey)]).toEqual([[], []]);
    // It would be caught otherwise: both halves find the citizen, and nobody else.
    expect(found(gatewayKey, nodeKey)).toEqual([citizen]);
    const files = readdirSync(federation.agency('gemeente').folder).filter((file) =>
      file.startsWith('agent.sqlite'),
    );
    for (const file of files)
      expect(readFileSync(join(federation.agency('gemeente').folder, file)).includes(citizen)).toBe(false);
  });

  it("leaves a log whose head stands in the gateway's, so that it cannot be written anew afterwards", async () => {
    const files = gatewayFiles(federation.gatewayFolder);
    const store = await openGatewayStore(files, readConfig(files.config));
    const leaves = await store.auditLog.leaves(0, 10_000);
    await store.close();
    const anchors = join(federation.folder, 'anchors.ndjson');
    writeFileSync(anchors, leaves.map((leaf) => `${new TextDecoder().decode(leaf)}\n`).join(''));
    for (const id of AGENCIES)
      expect(await federation.agency(id).run('log', 'verify', '--anchors', anchors)).toMatch(
        /none was changed.*\nIt is the log that \d+ anchors tell of/,
      );
  });

  it('is refused by the gateway for other registers, and other purposes for this one', async () => {
    const ask = (purpose: string, register: string) =>
      federation.agency('gemeente').lookup([CITIZEN], { purpose, registers: [register] });
    await expect(ask('casusoverleg-zvh', 'politie/asked-about')).rejects.toThrow(/not-allowed/);
    await expect(ask(PURPOSE, 'politie/zaken')).rejects.toThrow(/not-allowed/);
  });

  it('gives nobody back whom it may not keep any longer', async () => {
    const politie = federation.agency('politie');
    expect(await askedAbout({ bsn: others[0]! })).toEqual(['politie']);
    await politie.stop();
    const database = new DatabaseSync(join(politie.folder, 'agent.sqlite'));
    // Yesterday was the last day that they may be kept, and the tables are yesterday's.
    const yesterday = new Date(Date.now() - 86_400_000).toISOString().slice(0, 10);
    database.exec(`UPDATE pseudonyms SET kept_until = '${yesterday}' WHERE kept_until IS NOT NULL`);
    database.exec(`UPDATE epochs SET day = '${yesterday}'`);
    database.close();
    await politie.start();
    await nextTables();
    await politie.ready();
    expect(await askedAbout({ bsn: others[0]! })).toEqual([]);
    expect(pseudonyms('politie').filter(({ kept_until: until }) => until !== null)).toEqual([]);
    const log = (await politie.run('log')).split('\n');
    expect(log.filter((line) => line.includes('content-removed'))).toEqual([
      expect.stringMatching(/of 0 entries.*with 2 pseudonyms of persons asked about/),
    ]);
  });
});

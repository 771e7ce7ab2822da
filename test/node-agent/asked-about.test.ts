import { DatabaseSync } from 'node:sqlite';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { TableCommitment } from '@hitmachine/protocol';
import {
  SUBJECT_ACCESS_PURPOSE,
  deriveKeyPair,
  packCommitment,
  tokensOf,
  utf8ToBytes,
} from '@hitmachine/protocol';
import { ask } from '../../node-agent/src/domain/asking/ask.ts';
import { beginLookup } from '../../node-agent/src/domain/asking/lookup.ts';
import type { LookupInput } from '../../node-agent/src/domain/asking/lookup-input.ts';
import { lookupInputSchema } from '../../node-agent/src/domain/asking/lookup-input.ts';
import { addressedRegisters } from '../../node-agent/src/domain/asking/lookup-input.ts';
import { commitToCase, professionalPseudonym } from '../../node-agent/src/domain/pseudonymise.ts';
import { secureRandom } from '../../node-agent/src/random.ts';
import { PURPOSE, StandInGateway, suite } from './support/gateway.ts';
import { TestNode, numbers, registerOf, wordOf } from './support/node.ts';
import { ROLE, purposeFile } from './support/policy.ts';

const HOUR = 3_600_000;
const [citizen, stranger, third] = numbers(3) as [string, string, string];
const ACCESS = { purpose: SUBJECT_ACCESS_PURPOSE };

describe('the register of the persons whom an agency asked about', () => {
  let gateway: StandInGateway;
  let police: TestNode;
  let council: TestNode;

  beforeEach(async () => {
    gateway = new StandInGateway();
    gateway.changePolicy({
      purposes: [...gateway.policy.purposes, purposeFile(SUBJECT_ACCESS_PURPOSE)],
    });
    const registers = [registerOf('zaken')];
    police = await TestNode.join(gateway, 'politie', { registers, subjectAccess: { refreshHours: 6 } });
    council = await TestNode.join(gateway, 'gemeente', { registers, subjectAccess: {} });
    await police.import([stranger]);
    await police.upkeep();
    await council.upkeep();
  });
  afterEach(async () => {
    await police.close();
    await council.close();
  });

  const held = (node: TestNode, type = 'bsn'): Promise<number> => node.pseudonyms.count('asked-about', type);
  const answers = async (asker: TestNode, bsn: string): Promise<Record<string, string>> => {
    const [results] = await asker.ask([bsn], ACCESS);
    return Object.fromEntries(Object.entries(results!).map(([name, outcome]) => [name, wordOf(outcome)]));
  };

  it('is empty but for its canaries at first, and answered from', async () => {
    const types = ['bsn', 'name+birthdate', 'address'];
    expect(await Promise.all(types.map((type) => held(police, type)))).toEqual([1, 1, 1]);
    expect(await answers(council, citizen)).toEqual({
      'politie/asked-about': 'not-known',
      'gemeente/asked-about': 'not-known',
    });
    const { evaluations } = gateway;
    await police.upkeep();
    expect(gateway.evaluations).toBe(evaluations);
  });

  it('holds a person once, and tells of him or her with the tables of the next day', async () => {
    await police.ask([citizen]);
    await police.ask([citizen]);
    expect(await held(police)).toBe(2);
    expect(await answers(council, citizen)).toMatchObject({ 'politie/asked-about': 'not-known' });
    gateway.now += 24 * HOUR;
    await police.upkeep();
    await council.upkeep();
    expect(await answers(council, citizen)).toEqual({
      'politie/asked-about': 'known',
      'gemeente/asked-about': 'not-known',
    });
    expect(await answers(council, stranger)).toMatchObject({ 'politie/asked-about': 'not-known' });
  });

  it('calls for new tables when its settings say so, whether or not the person was new', async () => {
    await police.ask([citizen]);
    expect([await police.epochs.refresh(), await police.epochs.isDue()]).toEqual([false, false]);
    gateway.now += 6 * HOUR;
    expect(await police.epochs.isDue()).toBe(true);
    expect([await police.epochs.refresh(), await police.epochs.isDue()]).toEqual([true, false]);
    await police.canary();
    // What the gateway sees must not tell that this person had been asked about before.
    gateway.now += 5 * HOUR;
    await police.canary();
    await police.ask([citizen]);
    gateway.now += HOUR;
    expect(await police.epochs.isDue()).toBe(true);
  });

  it('says up to which day it tells', async () => {
    const [results] = await council.ask([citizen], ACCESS);
    expect(results!['politie/asked-about']).toEqual({
      status: 'not-known',
      comparedOn: ['bsn'],
      upTo: '2026-03-01',
    });
  });

  it.each([
    ['above any time', 8_999_999_999_999_000],
    ['in another year', Date.UTC(2027, 0, 1)],
  ])('is told of by the other agencies when one commits to an epoch %s', async (_, epoch) => {
    const stored = police.tables.stored!;
    const entry = gateway.log.entries.findLast((one) => one.event === 'tables' && one.agency === 'politie');
    const { body } = entry as { body: string };
    const commitment: TableCommitment = { ...(JSON.parse(body) as TableCommitment), epoch };
    const log = { origin: gateway.log.origin, publicKey: gateway.identityKey };
    const logged = await gateway.clientOf('politie').commitTables(commitment);
    police.tables.switchTo({ ...stored, epoch, commitment: packCommitment(logged, log) });
    expect(await answers(council, citizen)).toEqual({
      'politie/asked-about': 'invalid: reply-failed-check',
      'gemeente/asked-about': 'not-known',
    });
  });

  it('holds whoever was asked about before the question leaves', async () => {
    const seen: number[] = [];
    gateway.changeDelivery = (delivery) => {
      const beside = new DatabaseSync(police.file, { readOnly: true });
      const sql =
        "SELECT count(*) AS n FROM pseudonyms WHERE register = 'asked-about' AND kept_until IS NOT NULL";
      seen.push((beside.prepare(sql).get() as { n: number }).n);
      beside.close();
      return delivery;
    };
    await police.ask([citizen, third]);
    expect(seen).toEqual([2]);
  });

  it('keeps a question from being asked when it cannot be written', async () => {
    const { deliveries } = gateway;
    const before = deliveries.length;
    const full = (): never => {
      throw new Error('disk full');
    };
    const service = { ...police.service, agencyLog: { ...police.agencyLog, appendOpened: full } };
    const input = lookupInputSchema.parse({ ...ASKED, persons: [{ bsn: citizen }] });
    const run = async (): Promise<void> => {
      for await (const _ of (await beginLookup(service, input)).events);
    };
    await expect(run()).rejects.toThrow('disk full');
    expect(deliveries).toHaveLength(before);
  });

  it('holds no padding, and an address only of whoever was asked about by nothing else', async () => {
    const home = { postcode: '6511 AB', number: '1' };
    const persons = [{ bsn: citizen, address: home }, { address: home }];
    const input = lookupInputSchema.parse({ ...ASKED, persons });
    await police.import([stranger], registerOf('zaken', ['bsn', 'name+birthdate', 'address']));
    const address = registerOf('zaken', ['bsn', 'name+birthdate', 'address']);
    gateway.put({ ...gateway.agencies.get('politie')!, registers: [{ ...address, tableBits: {} }] });
    await police.roster.accept(gateway.sign());
    for await (const _ of (await beginLookup(police.service, input)).events);
    // Beside the canary.
    expect(
      await Promise.all(
        ['bsn', 'name+birthdate', 'address'].map(async (type) => (await held(police, type)) - 1),
      ),
    ).toEqual([1, 0, 1]);
  });

  it('starts anew under another evaluation key, and says since when', async () => {
    await police.ask([citizen]);
    gateway.evaluation = deriveKeyPair(suite, secureRandom(32), utf8ToBytes('another k_g'));
    gateway.version++;
    gateway.now += HOUR;
    await police.roster.accept(gateway.sign());
    expect(() => police.roster.trustedEvaluationKey()).toThrow(/key-changed/);
    for (const { name } of await police.state.pins())
      if (name === '(gateway)') await police.state.removePin(name);
    await police.roster.checkPins();
    await police.beginAskedAbout();
    expect(await held(police)).toBe(1);
    const state = (await police.pseudonyms.imports()).find(({ register }) => register === 'asked-about');
    expect(state).toMatchObject({ clients: 0, importedAt: gateway.now });
  });

  describe("goes with the purpose of a person's own request, and with no other", () => {
    it('for whoever asks', async () => {
      const other = { registers: ['politie/zaken', 'politie/asked-about'] };
      await expect(council.ask([citizen], other)).rejects.toMatchObject({
        code: 'not-allowed',
        fields: [
          {
            field: 'registers.1',
            detail: expect.stringContaining('is for the purpose subject-access only') as string,
          },
        ],
      });
      await expect(council.ask([citizen], { ...ACCESS, ...other })).rejects.toMatchObject({
        code: 'not-allowed',
        fields: [
          {
            field: 'registers.0',
            detail: expect.stringContaining('registers of persons asked about are asked') as string,
          },
        ],
      });
      const [ordinary] = await council.ask([citizen]);
      expect(Object.keys(ordinary!).sort()).toEqual(['gemeente/zaken', 'politie/zaken']);
    });

    it('for a node, whatever the asker and the gateway let through', async () => {
      const refused = async (purpose: string, name: string): Promise<string> => {
        const service = council.service;
        const asked = {
          purpose,
          caseCommitment: commitToCase('zaak', secureRandom).commitment,
          professional: professionalPseudonym(council.keys, 'j.jansen'),
          role: ROLE,
          statements: [],
          persons: [tokensOf({ bsn: stranger }, ['bsn'])],
          tokenTypes: ['address', 'bsn', 'name+birthdate'],
          registers: addressedRegisters(service.roster.roster, [name]),
        };
        let word = '';
        for await (const event of ask(service, asked))
          if (event.type === 'register') word = wordOf(event.outcomes[0]);
        return word;
      };
      expect(await refused(PURPOSE, 'politie/asked-about')).toBe('refused: register');
      expect(await refused(SUBJECT_ACCESS_PURPOSE, 'politie/zaken')).toBe('refused: register');
      // The same questions, each for its own purpose: nothing else is in the way.
      expect(await refused(SUBJECT_ACCESS_PURPOSE, 'politie/asked-about')).toBe('not-known');
      expect(await refused(PURPOSE, 'politie/zaken')).toBe('known');
      const told = (await police.agencyLog.read(0, 100)).map(({ event }) => event);
      expect(told).toEqual(['refused', 'refused', 'answered', 'answered']);
    });

    it('and is missed where an agency does not have it', async () => {
      const registers = [{ ...registerOf('zaken'), tableBits: {} }];
      gateway.put({ ...gateway.agencies.get('politie')!, id: 'oud', registers });
      await council.roster.accept(gateway.sign());
      const persons = [{ bsn: citizen }];
      const lookup = await beginLookup(
        council.service,
        lookupInputSchema.parse({ ...ASKED, ...ACCESS, persons }),
      );
      expect(lookup.missing).toEqual(['oud/asked-about']);
      expect(
        (await beginLookup(council.service, lookupInputSchema.parse({ ...ASKED, persons }))).missing,
      ).toEqual([]);
    });
  });

  it('holds, for an agency without the right to a number, nothing by that number; and it does not ask by it', async () => {
    const subjectAccess = { tokenTypes: ['name+birthdate', 'address'] };
    const housing = await TestNode.join(gateway, 'wonen', { registers: [], subjectAccess });
    await housing.upkeep();
    await expect(housing.ask([citizen])).rejects.toMatchObject({
      code: 'field-invalid',
      fields: [{ field: 'persons.0.bsn', detail: expect.stringContaining('does not ask by it') as string }],
    });
    const person = { name: { surname: 'Bos', givenNames: 'Anna' }, birthDate: '1980-01-01' };
    await housing.ask([''], { persons: [person] } as Partial<LookupInput>);
    expect([await held(housing, 'bsn'), await held(housing, 'name+birthdate')]).toEqual([0, 2]);
    await housing.close();
  });
});

const ASKED = {
  purpose: PURPOSE,
  caseReference: 'ZVH-1',
  professional: 'j.jansen',
  role: ROLE,
  statements: [],
};

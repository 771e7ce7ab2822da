import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Answer, Logged } from '@hitmachine/protocol';
import type { TableCommitment } from '@hitmachine/protocol';
import {
  HitError,
  checkEpoch,
  encodeBase64,
  epochTaken,
  openCommitment,
  utf8ToBytes,
} from '@hitmachine/protocol';
import { workerTableBuilder } from '../../node-agent/src/adapters/workers/table-builder.ts';
import { fingerprintsOf } from '../../node-agent/src/domain/membership/roster-keeper.ts';
import type { BuiltTable, TableBuilder } from '../../node-agent/src/ports/table-builder.ts';
import { StandInGateway, backend } from './support/gateway.ts';
import { TestNode, numbers, wordOf } from './support/node.ts';

const [known, other] = numbers(2, 240_000_000) as [string, string];
const REGISTER = 'politie/incidenten';
const DAY = 86_400_000;
type Answered = Extract<Answer, { type: 'answered' }>;

class CountingBuilder implements TableBuilder {
  readonly real = workerTableBuilder(1);
  tables = 0;

  build(...[spec, pages]: Parameters<TableBuilder['build']>): Promise<BuiltTable> {
    this.tables++;
    return this.real.build(spec, pages);
  }

  close(): Promise<void> {
    return this.real.close();
  }
}

describe('the tables of an epoch', () => {
  let gateway: StandInGateway;
  let builder: CountingBuilder;
  let police: TestNode;
  let asker: TestNode;

  beforeEach(async () => {
    gateway = new StandInGateway();
    builder = new CountingBuilder();
    police = await TestNode.join(gateway, 'politie', { builder, canaryStaleMs: 10 * DAY });
    asker = await TestNode.join(gateway, 'gemeente', { registers: [] });
    await police.import([known]);
  });

  afterEach(async () => {
    await police.close();
    await asker.close();
  });

  const ask = async () => wordOf((await asker.ask([known]))[0]![REGISTER]);
  const commitments = () => gateway.log.entries.filter(({ event }) => event === 'tables');
  const away = (): never => {
    throw new HitError('gateway-unreachable');
  };

  it('are answered from once the commitment to them stands in the log', async () => {
    let before: number | undefined;
    gateway.changeCommitted = (logged) => {
      before = police.tables.stored?.epoch;
      return logged;
    };
    await police.upkeep();
    expect(before).toBeUndefined();
    const { epoch, commitment } = police.tables.stored!;
    const log = { origin: gateway.log.origin, publicKey: gateway.identityKey };
    const opened = openCommitment(
      backend,
      log,
      { id: 'politie', identityKey: police.keys.identityKey },
      commitment,
    );
    expect(opened.commitment).toMatchObject({
      epoch,
      day: '2026-03-02',
      tables: [
        { register: 'incidenten', tokenType: 'bsn', bits: 0 },
        { register: 'incidenten', tokenType: 'name+birthdate', bits: 0 },
      ],
    });
    expect(gateway.log.entries[opened.index]).toMatchObject({ event: 'tables', agency: 'politie' });
    expect(police.checkpoints).toContain(opened.checkpoint);
    expect(await ask()).toBe('known');
  });

  it('wait while the gateway is away, and are committed to when it is back, without another build', async () => {
    gateway.changeCommitted = away;
    for (let i = 0; i < 3; i++)
      await expect(police.epochs.refresh()).rejects.toMatchObject({ code: 'gateway-unreachable' });
    expect(police.tables.stored).toBeUndefined();
    expect(await ask()).toBe('no-answer: not-imported');
    expect(builder.tables).toBe(2);
    // The gateway may have logged it before the connection broke: what is sent again is the same, word for word.
    const [first, ...again] = commitments().map((entry) => 'body' in entry && entry.body);
    expect(again).toEqual([first, first]);
    gateway.changeCommitted = (logged) => logged;
    await police.upkeep();
    expect(builder.tables).toBe(2);
    expect(await ask()).toBe('known');
  });

  it('stay those of yesterday while the gateway is away', async () => {
    await police.upkeep();
    const { epoch } = police.tables.stored!;
    gateway.now += DAY;
    gateway.changeCommitted = away;
    await expect(police.epochs.refresh()).rejects.toMatchObject({ code: 'gateway-unreachable' });
    expect(police.tables.stored!.epoch).toBe(epoch);
    expect(await ask()).toBe('known');
  });

  it('are built again when an import comes while they wait', async () => {
    gateway.changeCommitted = away;
    await expect(police.epochs.refresh()).rejects.toThrow();
    await police.import([other]);
    gateway.changeCommitted = (logged) => logged;
    await police.upkeep();
    expect(builder.tables).toBe(4);
    expect(await ask()).toBe('not-known');
  });

  it('get another number when theirs is taken, as after a backup that was put back', async () => {
    gateway.changeCommitted = () => {
      throw new HitError('already-exists');
    };
    await expect(police.epochs.refresh()).rejects.toMatchObject({ code: 'already-exists' });
    gateway.changeCommitted = (logged) => logged;
    await police.upkeep();
    const [refused, taken] = commitments().map(
      (entry) => (JSON.parse('body' in entry ? entry.body : '') as { epoch: number }).epoch,
    );
    expect(taken).toBeGreaterThan(refused!);
    expect(police.tables.stored!.epoch).toBe(taken);
  });

  /** The gateway refuses some commitments, as a real one does. */
  const refusing = (refuse: (commitment: TableCommitment) => void): void => {
    const clientOf = gateway.clientOf.bind(gateway);
    gateway.clientOf = (id) => ({
      ...clientOf(id),
      commitTables: async (commitment) => {
        refuse(commitment);
        return clientOf(id).commitTables(commitment);
      },
    });
  };

  it('get a number above the one that stands, whoever committed to that with the keys of this agency', async () => {
    const standing = gateway.now + 599_999;
    refusing(({ epoch }) => {
      if (epoch <= standing) throw epochTaken(epoch, standing);
    });
    await expect(police.epochs.refresh()).rejects.toMatchObject({ code: 'already-exists' });
    await police.upkeep();
    expect(police.tables.stored!.epoch).toBe(standing + 1);
    expect(await ask()).toBe('known');
  });

  it('are not led to a number that nobody can have committed to yet', async () => {
    let standing = 8_999_999_999_999_000;
    refusing(({ epoch }) => {
      if (epoch <= standing) throw epochTaken(epoch, standing);
    });
    await expect(police.epochs.refresh()).rejects.toMatchObject({ code: 'already-exists' });
    standing = 0;
    await police.upkeep();
    expect(police.tables.stored!.epoch).toBeLessThan(gateway.now + 60_000);
  });

  it('get a number of today again after a clock that ran ahead', async () => {
    const today = gateway.now;
    refusing((commitment) => checkEpoch(commitment, today));
    gateway.now += 30 * DAY;
    await expect(police.epochs.refresh()).rejects.toMatchObject({ code: 'field-invalid' });
    gateway.now = today + 2_000;
    await police.upkeep();
    expect(police.tables.stored!.epoch).toBe(gateway.now);
    expect(await ask()).toBe('known');
  });

  it('are answered from for two days at most: an asker takes no older ones', async () => {
    await police.upkeep();
    gateway.now += 2 * DAY;
    expect(await ask()).toBe('known');
    gateway.now += 1;
    expect(await ask()).toBe('invalid: reply-failed-check');
    expect(asker.log.lines.findLast(({ event }) => event === 'reply-invalid')?.['reason']).toMatch(
      /politie answers from tables that it committed to at .* more than two days ago/,
    );
    await police.upkeep();
    expect(await ask()).toBe('known');
  });

  it('are not answered from when the gateway does not prove that it logged what was sent', async () => {
    await police.upkeep();
    const { epoch } = police.tables.stored!;
    const earlier = await gateway.log.logged(commitmentIndex(gateway));
    const twin = new StandInGateway();
    twin.seeds.set('politie', police.keys.identitySeed.reveal());
    const lies: readonly ((logged: Logged) => Logged | Promise<Logged>)[] = [
      // The commitment of the epoch before, which is logged.
      () => earlier,
      // The right entry, with a proof of another.
      (logged) => ({ ...logged, receipt: earlier.receipt }),
      // An entry that says something else than was signed.
      (logged) => ({ ...logged, entry: encodeBase64(altered(logged)) }),
      // A log that another key signs.
      async ({ entry }) => {
        twin.log.append({ at: 1, event: 'agency-invited', agency: 'x', again: false });
        const body = JSON.parse(new TextDecoder().decode(Buffer.from(entry, 'base64url'))) as never;
        return twin.log.logged(twin.log.append(body));
      },
    ];
    gateway.now += DAY;
    for (const lie of lies) {
      gateway.changeCommitted = lie;
      await expect(police.epochs.refresh()).rejects.toMatchObject({
        code: expect.stringMatching(/^(log-proof-invalid|signature-invalid)$/) as string,
      });
      expect(police.tables.stored!.epoch).toBe(epoch);
    }
    gateway.changeCommitted = (logged) => logged;
    await police.upkeep();
    expect(police.tables.stored!.epoch).toBeGreaterThan(epoch);
  });

  describe('after a restart', () => {
    beforeEach(() => police.upkeep());

    it('are taken up with their commitment, without the gateway', async () => {
      gateway.changeCommitted = away;
      await police.restart();
      expect(police.tables.stored).toBeDefined();
      await police.upkeep();
      expect(await ask()).toBe('known');
      expect(builder.tables).toBe(2);
    });

    it('of an older version have no commitment, and get one before they are used', async () => {
      police.database.exec('UPDATE epochs SET commitment = NULL');
      await police.restart();
      expect(police.tables.stored).toBeUndefined();
      await police.upkeep();
      expect(builder.tables).toBe(2);
      expect(commitments()).toHaveLength(2);
      expect(await ask()).toBe('known');
      await police.restart();
      expect(police.tables.stored).toBeDefined();
    });

    it.each([
      [
        'a tag was changed',
        "UPDATE tables SET bytes = CAST(zeroblob(8) || substr(bytes, 9) AS BLOB) WHERE token_type = 'bsn'",
      ],
      ['a table is gone', "DELETE FROM tables WHERE token_type = 'bsn'"],
      ['the number was changed', 'UPDATE tables SET epoch = epoch + 1; UPDATE epochs SET epoch = epoch + 1'],
      [
        'the commitment was changed',
        'UPDATE epochs SET commitment = CAST(zeroblob(9) || substr(commitment, 10) AS BLOB)',
      ],
    ])('are left and built anew when %s', async (_, change) => {
      police.database.exec(`PRAGMA foreign_keys = OFF; ${change}`);
      await police.restart();
      expect(police.tables.stored).toBeUndefined();
      await police.upkeep();
      expect(builder.tables).toBe(4);
      expect(await ask()).toBe('known');
    });
  });

  it('are checked once for all answers of an epoch, and noted with each question', async () => {
    await police.upkeep();
    asker.checkpoints.length = 0;
    for (let i = 0; i < 3; i++) expect(await ask()).toBe('known');
    expect(asker.checkpoints).toHaveLength(1);
    const asked = (await asker.agencyLog.read(0, 100)).filter(({ event }) => event === 'asked');
    expect(asked).toHaveLength(3);
    for (const { detail } of asked)
      expect(detail).toMatchObject({
        answeredFrom: { politie: { epoch: police.tables.stored!.epoch, index: commitmentIndex(gateway) } },
      });
  });

  it('make the answer no longer for one person than for another', async () => {
    await police.upkeep();
    await asker.ask([known]);
    const sizes = new Set<number>();
    gateway.changeReport = (report) => {
      sizes.add(report.ciphertext!.length);
      return report;
    };
    for (const number of [known, other, ...numbers(5, 250_000_000)]) await asker.ask([number]);
    expect(sizes.size).toBe(1);
  });

  it('are checked again under another key of the node', async () => {
    await police.upkeep();
    const answer = { commitment: police.tables.stored!.commitment } as Answered;
    await asker.roster.accept(gateway.sign());
    expect((await asker.commitments.of('politie', answer))?.index).toBe(commitmentIndex(gateway));
    const entry = gateway.agencies.get('politie')!;
    gateway.put({ ...entry, identityKey: encodeBase64(asker.keys.identityKey) });
    await asker.roster.accept(gateway.sign());
    await expect(asker.commitments.of('politie', answer)).rejects.toThrow(/no trusted key/);
    const fingerprint = fingerprintsOf(asker.roster.roster).get('politie')!;
    await asker.state.setPin({ name: 'politie', fingerprint });
    await asker.roster.checkPins();
    await expect(asker.commitments.of('politie', answer)).rejects.toThrow(/signature-invalid/);
    await expect(asker.commitments.of('iemand', answer)).rejects.toThrow(/no trusted key/);
  });

  it('of a node that holds nothing are committed to as well, and it answers so', async () => {
    const empty = await TestNode.join(gateway, 'ggz', { builder: workerTableBuilder(1) });
    await empty.epochs.refresh();
    expect(empty.tables.stored!.tables).toEqual([]);
    expect(empty.tables.answering(false).commitment).toBe(empty.tables.stored!.commitment);
    await empty.close();
  });
});

function commitmentIndex(gateway: StandInGateway): number {
  return gateway.log.entries.findLastIndex((entry) => entry.event === 'tables' && entry.agency === 'politie');
}

/** The leaf with another day in the body. */
function altered({ entry }: Logged): Uint8Array {
  const text = Buffer.from(entry, 'base64url').toString();
  return utf8ToBytes(text.replace(/\\"day\\":\\"\d{4}/, '\\"day\\":\\"2001'));
}

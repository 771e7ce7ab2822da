import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Answer, LogEntry } from '@hitmachine/protocol';
import {
  HASH_BYTES,
  TABLES_PATH,
  epochFactor,
  packCommitment,
  signRequest,
  tagPrefix,
  ticketCodec,
  utf8ToBytes,
} from '@hitmachine/protocol';
import type { CommittedEpoch } from '../../node-agent/src/domain/answering/answering-tables.ts';
import type { LoggedTables } from '../../node-agent/src/domain/asking/node-commitments.ts';
import { NodeCommitments } from '../../node-agent/src/domain/asking/node-commitments.ts';
import { secureRandom } from '../../node-agent/src/random.ts';
import { StandInGateway, backend, suite } from '../node-agent/support/gateway.ts';
import { TestNode, numbers, wordOf } from '../node-agent/support/node.ts';
import { SmallLog, evidenceFrom } from '../support/small-log.ts';

const [known, other] = numbers(2, 260_000_000) as [string, string];
const CLIENTS = numbers(600, 270_000_000);
const REGISTER = 'politie/incidenten';
const INVALID = 'invalid: reply-failed-check';
const DAY = 86_400_000;
const NOTHING = new Uint8Array(HASH_BYTES);
type Answered = Extract<Answer, { type: 'answered' }>;

/** An asker that takes what it is sent, as all did before tables were committed to: it holds an answer against itself. */
class Trusting extends NodeCommitments {
  override async of(_node: string, answer: Answered): Promise<LoggedTables> {
    const table = (register: string, tokenType: string) => {
      const reply = answer.registers.find((entry) => entry.register === register);
      const columns = reply?.type === 'tables' ? reply.columns : [];
      const column = columns.find((entry) => entry.tokenType === tokenType)!;
      return { bits: column.bits, capacity: column.rangeTags, root: NOTHING };
    };
    return { tables: { epoch: answer.epoch, table, sha256: () => NOTHING }, index: 0, at: 0 };
  }
}

describe('a node answers from what it committed to, or the asker sees that it does not', () => {
  let gateway: StandInGateway;
  let police: TestNode;
  let asker: TestNode;
  /** The variant without the check, on which every attack must succeed. */
  let trusting: TestNode;

  beforeEach(async () => {
    gateway = new StandInGateway();
    police = await TestNode.join(gateway, 'politie', { canaryStaleMs: 10 * DAY });
    asker = await TestNode.join(gateway, 'gemeente', { registers: [] });
    trusting = await TestNode.join(gateway, 'ggz', { registers: [] });
    const { roster, clock } = trusting;
    trusting.commitments = new Trusting({ backend, roster, gatewayKey: gateway.identityKey, clock });
    await police.import([...CLIENTS, known, other]);
    await police.upkeep();
  });

  afterEach(async () => {
    for (const node of [police, asker, trusting]) await node.close();
  });

  const ask = async (who: TestNode, number = known): Promise<string> =>
    wordOf((await who.ask([number]))[0]![REGISTER]);
  const lastReason = (): unknown =>
    asker.log.lines.findLast(({ event }) => event === 'reply-invalid')?.['reason'];

  /** What the node holds, but with the tables that these clients make in the same epoch. */
  async function tablesWith(clients: readonly string[], epoch = police.tables.stored!.epoch) {
    const committed = police.tables.stored!;
    await police.import(clients);
    const tables = await Promise.all(
      committed.tables.map(async ({ register, tokenType, table }) => {
        const scope = { agency: police.id, register, tokenType, epoch };
        const spec = {
          factor: epochFactor(suite, police.keys.nodeKey.reveal(), scope),
          prefix: tagPrefix(scope),
          maskKey: police.keys.maskKey.reveal(),
          maxBits: table.bits,
        };
        const built = await police.builder.build(spec, police.pseudonyms.pages(register, tokenType, 0));
        return { register, tokenType, ...built };
      }),
    );
    return { ...committed, epoch, tables } satisfies CommittedEpoch;
  }

  /** Brings the node to answer from something, and holds both askers against it. */
  async function answerFrom(held: CommittedEpoch, without: string, withCheck = INVALID): Promise<void> {
    police.tables.switchTo(held);
    expect(await ask(trusting)).toBe(without);
    expect(await ask(asker)).toBe(withCheck);
  }

  it('passes when all is as it should be: the positive control of every case below', async () => {
    await answerFrom(police.tables.stored!, 'known', 'known');
    expect(await ask(asker, CLIENTS[3])).toBe('known');
    expect(await ask(asker, numbers(1, 280_000_000)[0])).toBe('not-known');
    expect(
      (await asker.ask([known, other, numbers(1, 280_000_000)[0]!])).map((one) => wordOf(one[REGISTER])),
    ).toEqual(['known', 'known', 'not-known']);
  });

  it('when it answers one asker from other tables than another', async () => {
    const committed = police.tables.stored!;
    const others = await tablesWith(CLIENTS);
    gateway.nodes.set('politie', (delivery) => {
      const { asker: name } = ticketCodec.decode(delivery.ticket);
      police.tables.switchTo(name === 'gemeente' || name === 'ggz' ? others : committed);
      return police.answer(delivery);
    });
    expect(await ask(trusting)).toBe('not-known');
    expect(await ask(asker)).toBe(INVALID);
    expect(lastReason()).toBe('incidenten, bsn: the buckets are not those that were committed to');
    const third = await TestNode.join(gateway, 'reclassering', { registers: [] });
    await police.roster.accept(gateway.sign());
    expect(await ask(third)).toBe('known');
    await third.close();
  });

  it('when it leaves out a client that it committed to, with new paths or the old ones', async () => {
    const committed = police.tables.stored!;
    const fewer = await tablesWith([...CLIENTS, other]);
    await answerFrom(fewer, 'not-known');
    const oldPaths = fewer.tables.map((entry, i) => ({ ...entry, tree: committed.tables[i]!.tree }));
    await answerFrom({ ...fewer, tables: oldPaths }, 'not-known');
  });

  it('when it answers from tables that it did not commit to at all', async () => {
    const next = await tablesWith([...CLIENTS, known], police.tables.stored!.epoch + 1);
    await answerFrom({ ...next, commitment: undefined as never }, 'known');
    expect(lastReason()).toMatch(/^politie answers from epoch \d+, and did not commit to its tables$/);
  });

  it('when it shows the commitment of another epoch, also under the number of that epoch', async () => {
    const yesterday = police.tables.stored!;
    gateway.now += DAY;
    await police.upkeep();
    const today = police.tables.stored!;
    await answerFrom({ ...today, commitment: yesterday.commitment }, 'known');
    await answerFrom({ ...yesterday, commitment: today.commitment }, 'known');
    // Its keys are those of the epoch that it names, so that nobody is found in tables of another one.
    await answerFrom({ ...today, epoch: yesterday.epoch, commitment: yesterday.commitment }, 'not-known');
  });

  it('when it shows the commitment of another agency', async () => {
    const twin = await TestNode.join(gateway, 'reclassering');
    await twin.import([known]);
    await twin.epochs.refresh();
    await answerFrom({ ...police.tables.stored!, commitment: twin.tables.stored!.commitment }, 'known');
    expect(lastReason()).toBe('the entry is not a table commitment of politie');
    await twin.close();
  });

  it('when the gateway makes a commitment in its name', async () => {
    const { commitment } = police.tables.stored!;
    const genuine = gateway.log.entries.findLast(
      (entry): entry is Extract<LogEntry, { event: 'tables' }> => entry.event === 'tables',
    )!;
    const body = genuine.body.replace(/"day":"\d{4}/, '"day":"2027');
    const request = { method: 'POST', path: TABLES_PATH, body: utf8ToBytes(body) };
    const signed = signRequest(backend, gateway.seed, 'politie', request, gateway.now, secureRandom);
    const forgeries = [{ evidence: evidenceFrom(signed) }, { evidence: genuine.evidence }];
    for (const { evidence } of forgeries) {
      const logged = await gateway.log.logged(gateway.log.append({ ...genuine, body, evidence }));
      const log = { origin: gateway.log.origin, publicKey: gateway.identityKey };
      await answerFrom({ ...police.tables.stored!, commitment: packCommitment(logged, log) }, 'known');
      expect(lastReason()).toMatch(/politie/);
    }
    await answerFrom({ ...police.tables.stored!, commitment }, 'known', 'known');
  });

  it('when the entry that it shows stands in no log', async () => {
    const index = gateway.log.entries.findLastIndex(({ event }) => event === 'tables');
    const { entry } = await gateway.log.logged(index);
    const { receipt } = await gateway.log.logged(index + 1);
    const log = { origin: gateway.log.origin, publicKey: gateway.identityKey };
    const commitment = packCommitment({ entry, receipt }, log);
    await answerFrom({ ...police.tables.stored!, commitment }, 'known');
    expect(lastReason()).toMatch(/proof|entry/);
  });

  it('when the gateway keeps the commitment in a log of its own, for this node alone', async () => {
    const hidden = new SmallLog(backend, gateway.seed, 'waalstad');
    for (const entry of gateway.log.entries.slice(0, 3)) hidden.append(entry);
    const index = gateway.log.entries.findLastIndex(({ event }) => event === 'tables');
    const place = hidden.append(gateway.log.entries[index]!);
    const log = { origin: gateway.log.origin, publicKey: gateway.identityKey };
    const commitment = packCommitment(await hidden.logged(place), log);
    police.tables.switchTo({ ...police.tables.stored!, commitment });
    expect(await ask(trusting)).toBe('known');
    // The receipt is good by itself. It is the view of the log that tells, as soon as the gateway has to prove it.
    await ask(asker);
    expect(asker.checkpoints.at(-1)).toBe(hidden.checkpoint);
    // For some minutes it may be somebody else's word.
    for (let minute = 0; minute < 4; minute++, gateway.now += 60_000) await asker.watch.view.checkPending();
    await expect(ask(asker)).rejects.toMatchObject({ code: 'log-inconsistent' });
  });
});

import { epochFactor, tagPrefix } from '@hitmachine/protocol';
import type { CommittedEpoch } from '../../node-agent/src/domain/answering/answering-tables.ts';
import { StandInGateway, suite } from '../node-agent/support/gateway.ts';
import { TestNode, numbers, wordOf } from '../node-agent/support/node.ts';
import type { Result } from './result.ts';

const REGISTER = 'politie/incidenten';
const CANARY_STALE_MS = 864_000_000;

/** A node answers from other tables than those that it committed to in the gateway's log. */
export async function tamperWithTables(): Promise<Result[]> {
  const gateway = new StandInGateway();
  const police = await TestNode.join(gateway, 'politie', { canaryStaleMs: CANARY_STALE_MS });
  const asker = await TestNode.join(gateway, 'gemeente', { registers: [] });
  try {
    const [known, ...others] = numbers(300, 260_000_000) as [string, ...string[]];
    await police.import([known, ...others]);
    await police.upkeep();
    const ask = async (): Promise<string> => wordOf((await asker.ask([known]))[0]?.[REGISTER]);
    const committed = police.tables.stored as CommittedEpoch;
    if ((await ask()) !== 'known') throw new Error('the untampered table does not pass');
    const without = await tablesOf(police, committed, others);
    const attempts: readonly (readonly [kind: string, done: string, held: CommittedEpoch])[] = [
      ['table altered', 'a node leaves a client out of the table that it committed to', without],
      [
        'table without commitment',
        'a node answers from a table of an epoch that it never committed to',
        { ...without, epoch: committed.epoch + 1, commitment: undefined as never },
      ],
    ];
    const results: Result[] = [];
    for (const [kind, done, held] of attempts) {
      police.tables.switchTo(held);
      const said = await ask();
      const reason = asker.log.lines.findLast(({ event }) => event === 'reply-invalid')?.['reason'];
      const noticed = said.startsWith('invalid');
      results.push({
        kind,
        done,
        detectedBy: noticed ? ["asker's agent"] : [],
        named: `${REGISTER}: ${said}: ${String(reason)}`,
        missed: noticed ? [] : [`asker's agent (${said})`],
      });
    }
    return results;
  } finally {
    for (const node of [police, asker]) await node.close();
  }
}

/** The tables that these clients make in an epoch. */
async function tablesOf(
  node: TestNode,
  { epoch, ...rest }: CommittedEpoch,
  clients: readonly string[],
): Promise<CommittedEpoch> {
  await node.import([...clients]);
  const tables = await Promise.all(
    rest.tables.map(async ({ register, tokenType, table }) => {
      const scope = { agency: node.id, register, tokenType, epoch };
      const spec = {
        factor: epochFactor(suite, node.keys.nodeKey.reveal(), scope),
        prefix: tagPrefix(scope),
        maskKey: node.keys.maskKey.reveal(),
        maxBits: table.bits,
      };
      const built = await node.builder.build(spec, node.pseudonyms.pages(register, tokenType, 0));
      return { register, tokenType, ...built };
    }),
  );
  return { ...rest, epoch, tables };
}

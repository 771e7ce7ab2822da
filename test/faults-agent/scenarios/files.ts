import type { Scenario } from '../scenario.ts';
import { shortened } from '../scenario.ts';
import { require } from '../require.ts';
import type { World } from '../world.ts';
import { REGISTER } from '../world.ts';

/** An import that has to be refused, with a word on where and why. */
const refused = (fault: string, file: (world: World) => string | Uint8Array, told: RegExp): Scenario => ({
  fault,
  async run(world) {
    const path = world.file('clients.csv', file(world));
    const { code, text } = await world.command('import', path, '--register', REGISTER);
    require(code === 1, `it was imported: ${text}`);
    const found = told.exec(text)?.[0];
    require(found !== undefined, `it does not say ${String(told)}: ${text}`);
    require(!world.clients.some((bsn) => text.includes(bsn)), 'the refusal repeats a number');
    require((await world.problems()).length === 0, 'the agent is not ready for it');
    return `refused: ${shortened(found)}`;
  },
});

export const files: readonly Scenario[] = [
  refused('half-written file', ({ csv, clients }) => csv(clients).slice(0, -6), /clients\.csv:\d+: [^\n]*/),
  refused(
    'file cut off between two rows',
    ({ csv, clients }) => csv(clients.slice(0, 4)),
    /[^\n]*--allow-shrink[^\n]*/,
  ),
  refused(
    'wrong encoding',
    ({ clients }) =>
      Buffer.concat([
        Buffer.from(`bsn,surname\n${clients[0]},Müller\n`, 'utf8'),
        Buffer.from(`${clients[1]},Möller\n`, 'latin1'),
      ]),
    /[^\n]*UTF-8[^\n]*/,
  ),
  refused(
    'duplicate reference',
    ({ clients }) => `reference,bsn\nK-1,${clients[0]}\nK-1,${clients[1]}\n`,
    /clients\.csv:\d+: reference: [^\n]*/,
  ),
];

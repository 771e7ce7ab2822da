import { closeSync, openSync, renameSync, rmSync, statSync, truncateSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { DISK_MISSING, SmallDisk } from '../../support/full-disk.ts';
import { numbers } from '../../node-agent/support/words.ts';
import type { Scenario } from '../scenario.ts';
import { shortened } from '../scenario.ts';
import { require } from '../require.ts';
import type { World } from '../world.ts';
import { REGISTER } from '../world.ts';

/** What is left free while an import runs: enough for the log of some lookups. */
const LITTLE_BYTES = 400_000;

/** The agent on a disk of its own, which `work` fills; afterwards it is back where it was. */
async function onSmallDisk(world: World, work: (filler: string) => Promise<string>): Promise<string> {
  const home = world.folder;
  const disk = new SmallDisk(64_000);
  try {
    await world.agent.kill('SIGTERM');
    world.move(join(disk.folder, 'agent'));
    await world.serve();
    const filler = join(disk.folder, 'filler');
    const seen = await work(filler);
    rmSync(filler);
    await world.untilReady();
    await world.requireAnswers();
    await world.agent.kill('SIGTERM');
    rmSync(home, { recursive: true });
    world.move(home);
    return seen;
  } finally {
    if (world.agent.isRunning) await world.agent.kill();
    disk.remove();
    world.folder = home;
    await world.serve();
  }
}

export const disk: readonly Scenario[] = [
  {
    fault: 'disk full while it serves',
    missing: DISK_MISSING,
    run: (world) =>
      onSmallDisk(world, async (filler) => {
        fill(filler);
        const reason = await world.untilNotReady(/the log cannot be written/);
        const outcome = await world.ask(world.clients[0] as string);
        require(outcome.startsWith('no-answer'), `it was answered without a log: ${outcome}`);
        return `${shortened(reason)}; asked, it is ${outcome}`;
      }),
  },
  {
    fault: 'disk full during an import',
    missing: DISK_MISSING,
    run: (world) =>
      onSmallDisk(world, async (filler) => {
        const more = [...world.clients, ...numbers(20_000, 260_000_000)];
        const file = world.file('many.csv', world.csv(more));
        fill(filler);
        truncateSync(filler, statSync(filler).size - LITTLE_BYTES);
        const { code, text } = await world.command('import', file, '--register', REGISTER);
        require(code === 1, `it was imported: ${text}`);
        const found = /[^\n]*(disk|full|room)[^\n]*/.exec(text)?.[0];
        require(found !== undefined, `it does not say that the disk is full: ${text}`);
        require(!more.some((bsn) => text.includes(bsn)), 'the error repeats a number');
        return shortened(found);
      }),
  },
  {
    fault: 'database away',
    async run(world) {
      const file = join(world.folder, 'agent.sqlite');
      renameSync(file, `${file}.away`);
      try {
        const reason = await world.untilNotReady(/the database is gone/);
        const outcome = await world.ask(world.clients[0] as string);
        require(outcome.startsWith('no-answer'), `it was answered without a log: ${outcome}`);
        return `${shortened(reason)}; asked, it is ${outcome}`;
      } finally {
        renameSync(`${file}.away`, file);
      }
    },
  },
];

/** Writes until there is no room for one byte more. */
function fill(path: string): void {
  const file = openSync(path, 'w');
  try {
    for (const size of [1_000_000, 4_096, 1])
      try {
        for (;;) writeSync(file, Buffer.alloc(size));
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== 'ENOSPC') throw error;
      }
  } finally {
    closeSync(file);
  }
}

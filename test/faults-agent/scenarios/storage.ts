import { closeSync, openSync, renameSync, rmSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { DISK_MISSING, SmallDisk } from '../../support/full-disk.ts';
import type { Scenario } from '../scenario.ts';
import { require } from '../require.ts';

export const storage: readonly Scenario[] = [
  {
    fault: 'disk full',
    missing: DISK_MISSING,
    async run(world) {
      const home = world.folder;
      const disk = new SmallDisk(64_000);
      try {
        await world.agent.kill('SIGTERM');
        world.move(join(disk.folder, 'agent'));
        await world.serve();
        const filler = join(disk.folder, 'filler');
        fill(filler);
        const reason = await world.untilNotReady(/the log cannot be written/);
        const outcome = await world.ask(world.clients[0] as string);
        require(outcome.startsWith('no-answer'), `it was answered without a log: ${outcome}`);
        rmSync(filler);
        await world.untilReady();
        await world.requireAnswers();
        await world.agent.kill('SIGTERM');
        rmSync(home, { recursive: true });
        world.move(home);
        return `${shortened(reason)}; asked, it is ${outcome}`;
      } finally {
        if (world.agent.isRunning) await world.agent.kill();
        disk.remove();
        world.folder = home;
        await world.serve();
      }
    },
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

export const shortened = (text: string): string => text.replaceAll(/\/[^\s:]*\//g, '…/').slice(0, 140);

import { randomBytes } from 'node:crypto';
import { mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { stringify } from 'yaml';
import { ReplyCutter } from '../../support/reply-cutter.ts';
import { AgentProcess } from '../agent-process.ts';
import type { Scenario } from '../scenario.ts';
import { shortened } from '../scenario.ts';
import { require } from '../require.ts';
import type { World } from '../world.ts';

/** Starts the agent with a key file that is not right: it has to stay down, and to say why. */
async function startsNot(world: World, told: RegExp): Promise<string> {
  const agent = world.begin('serve');
  const url = await agent.url();
  if (url !== undefined) await agent.kill();
  require(url === undefined, 'it started');
  const found = told.exec(agent.text)?.[0];
  require(found !== undefined, `it does not say ${String(told)}: ${agent.text}`);
  return shortened(found);
}

export const keys: readonly Scenario[] = [
  {
    fault: 'key file missing',
    async run(world) {
      const file = join(world.folder, 'key-file');
      await world.agent.kill('SIGTERM');
      renameSync(file, `${file}.away`);
      const seen = await startsNot(world, /[^\n]*there is no such file[^\n]*/);
      renameSync(`${file}.away`, file);
      await world.serve();
      return seen;
    },
  },
  {
    fault: 'key file of somebody else',
    async run(world) {
      const file = join(world.folder, 'key-file');
      const right = readFileSync(file);
      await world.agent.kill('SIGTERM');
      writeFileSync(file, randomBytes(32));
      const seen = await startsNot(world, /[^\n]*keystore-invalid[^\n]*/);
      writeFileSync(file, right);
      await world.serve();
      return seen;
    },
  },
  {
    fault: 'reply to the enrolment lost',
    async run(world) {
      const folder = join(world.scratch, 'nieuw');
      mkdirSync(folder, { mode: 0o700 });
      writeFileSync(join(folder, 'agent.yaml'), stringify({ listen: '127.0.0.1:0' }));
      const run = (...args: string[]) => new AgentProcess(folder, world.clockFile, ...args).ended();
      await run('init');
      const token = world.file('token', await world.federation.invite('nieuw'));
      const cutter = await new ReplyCutter(world.federation.gatewayUrl).start();
      cutter.next = ['pass'];
      try {
        const first = await run('enrol', '--gateway', cutter.url, '--token-file', token);
        require(first.code !== 0 && cutter.cut.includes(201), `nothing was lost: ${first.text}`);
        const again = await run('enrol', '--gateway', world.federation.gatewayUrl, '--token-file', token);
        require(again.code === 0, `the same token does not work again: ${again.text}`);
        return 'enrolled with the same token';
      } finally {
        await cutter.close();
        rmSync(folder, { recursive: true });
      }
    },
  },
];

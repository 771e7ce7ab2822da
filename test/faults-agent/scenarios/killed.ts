import { setTimeout as delay } from 'node:timers/promises';
import { numbers } from '../../node-agent/support/node.ts';
import type { Scenario } from '../scenario.ts';
import { require } from '../require.ts';
import { REGISTER } from '../world.ts';

export const killed: readonly Scenario[] = [
  {
    fault: 'import killed',
    async run(world) {
      const many = world.file('many.csv', world.csv([...world.clients, ...numbers(4_000, 260_000_000)]));
      let kills = 0;
      for (const moment of [400, 1_200, 2_500]) {
        const run = world.begin('import', many, '--register', REGISTER);
        await delay(moment);
        if (!run.isRunning) continue;
        await run.kill();
        kills++;
      }
      require(kills > 0, 'it was through each time before it could be killed');
      require((await world.problems()).length === 0, 'the agent is not ready');
      return `killed ${kills} times, the register as it was`;
    },
  },
  {
    fault: 'agent killed during an import',
    async run(world) {
      const file = world.file('same.csv', world.csv(world.clients));
      const run = world.begin('import', file, '--register', REGISTER);
      await delay(300);
      await world.agent.kill();
      const { code, text } = await run.ended();
      require(code === 0, `the import does not go on without the agent: ${text}`);
      await world.serve();
      return 'the import came through without it';
    },
  },
  {
    fault: 'agent killed during lookups',
    async run(world) {
      const seen = new Set<string>();
      for (let i = 0; i < 3; i++) {
        const asked = [0, 1, 2, 3].map((n) =>
          world.ask(n % 2 === 0 ? (world.clients[n] as string) : world.stranger),
        );
        await delay(60 + i * 200);
        await world.agent.kill();
        for (const outcome of await Promise.all(asked)) seen.add(outcome);
        seen.add(await world.ask(world.clients[0] as string));
        await world.serve();
      }
      require([...seen].some((outcome) =>
        outcome.startsWith('no-answer'),
      ), `nobody noticed: ${[...seen].join(', ')}`);
      return `answers were ${[...seen].sort().join(', ')}`;
    },
  },
  {
    fault: 'agent killed during the switch of epochs',
    async run(world) {
      const [extra] = numbers(1, 280_000_000) as [string];
      for (let i = 0; i < 4; i++) {
        // A changed register makes new tables; at the end it is as it was.
        const file = world.file(
          'epoch.csv',
          world.csv(i % 2 === 0 ? [...world.clients, extra] : world.clients),
        );
        const { code, text } = await world.command('import', file, '--register', REGISTER);
        require(code === 0, text);
        await delay(i * 250);
        await world.agent.kill();
        await world.serve({ untilReady: i === 3 });
      }
      return 'killed 4 times; tables are those that were committed to, or made anew';
    },
  },
];

import { spawnSync } from 'node:child_process';
import { rmSync, writeFileSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { Net } from '../../faults/net.ts';
import { OWN_PLACE_MISSING } from '../own-place.ts';
import { require } from '../require.ts';
import type { Scenario } from '../scenario.ts';
import { shortened } from '../scenario.ts';
import { GATEWAY_NAME } from '../set-up.ts';
import type { World } from '../world.ts';
import { REGISTER } from '../world.ts';

/** Does something while no packet gets to the gateway or back, and nobody is told so. */
async function cutOff<T>(world: World, work: () => Promise<T>): Promise<T> {
  const net = new Net();
  net.cut(Number(new URL(world.federation.gatewayUrl).port));
  try {
    return await work();
  } finally {
    net.clear();
    await world.asker.ready();
  }
}

const NOT_CONNECTED = /not connected|does not answer|cannot be reached/;

export const network: readonly Scenario[] = [
  {
    fault: 'gateway away',
    async run(world) {
      await world.federation.stopGateway();
      try {
        return shortened(await world.untilNotReady(/not connected to the gateway/));
      } finally {
        await world.federation.startGateway();
        await world.asker.ready();
      }
    },
  },
  {
    fault: 'network cut in the middle of lookups',
    missing: OWN_PLACE_MISSING,
    async run(world) {
      const asked = [...Array(8).keys()].map((n) =>
        world.ask(n % 2 === 0 ? (world.clients[n] as string) : world.stranger),
      );
      await delay(40);
      const reason = await cutOff(world, () => world.untilNotReady(NOT_CONNECTED));
      const seen = new Set(await Promise.all(asked));
      return `${shortened(reason)}; answers were ${[...seen].sort().join(', ')}`;
    },
  },
  {
    fault: 'network cut in the middle of an import',
    missing: OWN_PLACE_MISSING,
    async run(world) {
      const run = await world.beginImport();
      await cutOff(world, async () => {
        await world.untilNotReady(NOT_CONNECTED);
        await delay(2_000);
      });
      const { code, text } = await run.ended();
      const same = world.file('same.csv', world.csv(world.clients));
      const again = await world.command('import', same, '--register', REGISTER, '--allow-shrink');
      require(again.code === 0, `it cannot be imported afterwards: ${again.text}`);
      if (code === 0) return 'the import waited, and came through';
      const found = /hit-agent: [^\n]*/.exec(text)?.[0];
      require(found !== undefined, `it does not say why it ended: ${text}`);
      return shortened(found);
    },
  },
  {
    fault: 'DNS fails',
    on: 'mutual TLS',
    missing: OWN_PLACE_MISSING,
    async run(world) {
      const { port } = new URL(world.federation.gatewayUrl);
      const local = '127.0.0.1 localhost\n';
      const hosts = world.file('hosts', `${local}127.0.0.1 ${GATEWAY_NAME}\n`);
      require(spawnSync('mount', ['--bind', hosts, '/etc/hosts']).status === 0, 'nothing was mounted');
      await world.agent.kill('SIGTERM');
      const restore = world.configure((settings) => {
        settings['gateway'] = {
          ...(settings['gateway'] as object),
          urls: [`https://${GATEWAY_NAME}:${port}`],
        };
      });
      try {
        await world.serve();
        writeFileSync(hosts, local);
        // Connections that stand need no name: it is asked for when a new one is made.
        await world.federation.stopGateway();
        await world.federation.startGateway();
        await world.asker.ready();
        const seen = await world.untilNotReady(/name of the host is not known/);
        const outcome = await world.ask(world.clients[0] as string);
        require(outcome.startsWith('no-answer'), `it answered: ${outcome}`);
        writeFileSync(hosts, `${local}127.0.0.1 ${GATEWAY_NAME}\n`);
        await world.untilReady();
        return shortened(seen);
      } finally {
        spawnSync('umount', ['/etc/hosts']);
        restore();
        await world.agent.kill('SIGTERM');
        await world.serve();
      }
    },
  },
];

export const clocks: readonly Scenario[] = [
  {
    fault: 'clock an hour behind',
    async run(world) {
      await world.agent.kill('SIGTERM');
      writeFileSync(world.clockFile, String(-3_600_000));
      try {
        await world.serve({ untilReady: false });
        return shortened(await world.untilNotReady(/clock of this machine/));
      } finally {
        rmSync(world.clockFile);
      }
    },
  },
  {
    fault: 'clock jumps three days ahead and back while it serves',
    async run(world) {
      writeFileSync(world.clockFile, String(3 * 86_400_000));
      const seen = new Set<string>();
      let reason = 'it did not mind';
      try {
        reason = await world.untilNotReady(/clock of this machine/);
        for (const bsn of [world.clients[0] as string, world.stranger]) seen.add(await world.ask(bsn));
      } finally {
        rmSync(world.clockFile);
      }
      return `${shortened(reason)}; answers were ${[...seen].sort().join(', ')}`;
    },
  },
];

import { spawnSync } from 'node:child_process';
import { rmSync, writeFileSync } from 'node:fs';
import type { Scenario } from '../scenario.ts';
import { require } from '../require.ts';
import { shortened } from './storage.ts';

const rule = (what: '-I' | '-D', port: string): boolean =>
  spawnSync('iptables', ['-w', what, 'OUTPUT', '-o', 'lo', '-p', 'tcp', '--dport', port, '-j', 'DROP'])
    .status === 0;

/** Whether this machine lets a rule be made: one about a port that nobody uses is made and taken away. */
function rulesMissing(): string | undefined {
  if (!rule('-I', '9')) return 'no packet filter can be set here';
  rule('-D', '9');
  return undefined;
}

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
    fault: 'network cut: packets vanish',
    missing: rulesMissing(),
    async run(world) {
      const { port } = new URL(world.federation.gatewayUrl);
      require(rule('-I', port), 'the rule could not be made');
      try {
        return shortened(await world.untilNotReady(/not connected|does not answer|cannot be reached/));
      } finally {
        rule('-D', port);
        await world.asker.ready();
      }
    },
  },
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
];

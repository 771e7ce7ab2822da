import { join } from 'node:path';
import { require } from '../require.ts';
import type { Scenario } from '../scenario.ts';
import { shortened } from '../scenario.ts';
import { certificateOf, showCertificate } from '../set-up.ts';
import type { World } from '../world.ts';

const EXPIRED = -1;

/** Shows an expired certificate to whoever connects anew, until `told` is seen at the agent; then a good one again. */
async function expired(world: World, folder: string, told: RegExp): Promise<string> {
  const again = async (days: number): Promise<void> => {
    await world.federation.stopGateway();
    showCertificate(folder, certificateOf(world.authority, days));
    await world.federation.startGateway();
  };
  await again(EXPIRED);
  try {
    const seen = await world.untilNotReady(told);
    const outcome = await world.ask(world.clients[0] as string);
    require(outcome.startsWith('no-answer'), `it answered: ${outcome}`);
    return shortened(seen);
  } finally {
    await again(2);
    await world.asker.ready();
  }
}

export const certificates: readonly Scenario[] = [
  {
    fault: 'certificate of the gateway expired',
    on: 'mutual TLS',
    run: (world) => expired(world, world.federation.gatewayFolder, /its certificate has expired/),
  },
  {
    fault: "agent's own certificate expired",
    on: 'mutual TLS',
    run: (world) => expired(world, join(world.folder), /this agent's own certificate [^\n]* expired on/),
  },
];

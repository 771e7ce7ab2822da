import type { z } from 'zod';
import type { GatewayNet } from '../../../node-agent/src/adapters/http/gateway-net.ts';
import { gatewayNet } from '../../../node-agent/src/adapters/http/gateway-net.ts';
import { configSchema } from '../../../node-agent/src/config.ts';
import type { GatewayConnection } from '../../../node-agent/src/ports/gateway-connection.ts';
import { gatewayAccess } from '../../../node-agent/src/gateway-access.ts';

type Settings = Pick<z.input<typeof configSchema>, 'gateway' | 'proxy'>;

/** The way to gateways as an agent with these settings goes it; files of settings are named with their whole path. */
export function netTo(urls: string | readonly string[], settings: Settings = {}): GatewayNet {
  const access = gatewayAccess('/', configSchema.parse(settings));
  return gatewayNet(typeof urls === 'string' ? [urls] : urls, access);
}

/** A connection to the gateway as status sees it. */
export const connectionOf = (
  connected: boolean,
  since: number,
  problem: string | undefined,
): GatewayConnection => ({
  state: () => ({
    connected,
    since,
    problem,
    connections: [],
    gatewayAheadMs: undefined,
    clockProblem: undefined,
  }),
  close: async () => undefined,
});

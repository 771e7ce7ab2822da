import { loadSodium } from '@hitmachine/protocol';
import type { GatewayConfig } from '../config.ts';
import { readConfig } from '../config.ts';
import type { GatewayKeys } from '../domain/keys.ts';
import { gatewayKeys } from '../domain/keys.ts';
import type { Runtime } from '../ports/runtime.ts';
import type { GatewayFiles } from './gateway-files.ts';
import { gatewayFiles, readSeeds, systemRandom } from './gateway-files.ts';
import type { GatewayStore } from './gateway-store.ts';
import { openGatewayStore } from './gateway-store.ts';

/** A gateway's files, keys and store, for one command; the gateway itself may run beside it. */
export interface OpenedGateway extends GatewayStore {
  readonly files: GatewayFiles;
  readonly config: GatewayConfig;
  readonly keys: GatewayKeys;
  readonly runtime: Runtime;
}

/** Opens a gateway for a command and closes it again. Throws what is wrong with its files. */
export async function withGateway<T>(
  directory: string,
  work: (gateway: OpenedGateway) => Promise<T>,
): Promise<T> {
  const files = gatewayFiles(directory);
  const config = readConfig(files.config);
  const backend = await loadSodium();
  const keys = gatewayKeys(backend, await readSeeds(backend, files, config));
  const store = await openGatewayStore(files, config);
  try {
    return await work({ ...store, files, config, keys, runtime: { now: Date.now, random: systemRandom } });
  } finally {
    await store.close();
  }
}

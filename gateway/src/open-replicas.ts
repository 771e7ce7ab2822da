import { isIPv6 } from 'node:net';
import { networkInterfaces } from 'node:os';
import { MemoryReplicaRegistry } from './adapters/memory/replica-registry.ts';
import type { RunningLinkServer } from './adapters/replica-link/link-server.ts';
import { startLinkServer } from './adapters/replica-link/link-server.ts';
import { DirectLinks } from './adapters/replica-link/replica-links.ts';
import type { Address } from './config.ts';
import type { GatewaySeeds } from './domain/keys.ts';
import { Replicas } from './domain/replicas.ts';
import { RoutedConnections } from './domain/routed-connections.ts';
import type { OperationalLog } from './log.ts';
import type { Connections } from './ports/connections.ts';
import type { ReplicaRegistry } from './ports/replica-registry.ts';
import { replicaSecrets } from './replica-secrets.ts';

/** How a process of the gateway finds the others. */
export interface ReplicaOptions {
  readonly registry: ReplicaRegistry;
  /** Where it takes the links of the others. */
  readonly listen: Address;
  /** Where they find that, `host:port`; unless told, the address of this machine on its network. */
  readonly address?: string | undefined;
}

interface OpeningOptions {
  readonly id: string;
  readonly seeds: GatewaySeeds;
  readonly federation: string;
  readonly replicas?: ReplicaOptions | undefined;
  readonly local: Connections;
  readonly log: OperationalLog;
}

/** What a gateway has of its other replicas. `close` ends the links; the registry is left to its owner. */
export interface OpenedReplicas {
  readonly connections: Connections;
  readonly replicas: Replicas;
  /** Takes no new questions of the others; resolves when theirs are answered, or after `deadlineMs`. */
  drain(deadlineMs: number): Promise<void>;
  close(): Promise<void>;
}

/** Takes the links of the other replicas and opens those to them. Rejects when it cannot listen. */
export async function openReplicas(options: OpeningOptions): Promise<OpenedReplicas> {
  const { id, local, log, seeds, federation } = options;
  const key = replicaSecrets(seeds, federation).link;
  const links = new DirectLinks(key, log);
  let server: RunningLinkServer | undefined;
  let address: string | undefined;
  if (options.replicas !== undefined) {
    const { listen } = options.replicas;
    server = await startLinkServer({ key, local, log }, listen);
    address = options.replicas.address ?? addressOf(listen.host, server.port);
  }
  const registry = options.replicas?.registry ?? new MemoryReplicaRegistry();
  const replicas = new Replicas({ registry, links, local, self: { id, address }, log });
  return {
    replicas,
    // One that is alone has nowhere else to look.
    connections: options.replicas === undefined ? local : new RoutedConnections({ local, links, replicas }),
    drain: async (deadlineMs) => server?.drain(deadlineMs),
    async close() {
      await links.close();
      await server?.close();
    },
  };
}

/** Where others reach what listens here: a host that stands for all of this machine is none of theirs. */
function addressOf(host: string, port: number): string {
  const outside = Object.values(networkInterfaces())
    .flatMap((all) => all ?? [])
    .filter(({ internal }) => !internal);
  const own = outside.find(({ family }) => family === 'IPv4') ?? outside[0];
  const reached = host === '0.0.0.0' || host === '::' ? (own?.address ?? '127.0.0.1') : host;
  return `${isIPv6(reached) ? `[${reached}]` : reached}:${port}`;
}

import type { Backend } from '@hitmachine/protocol';
import { AgentConnections } from './adapters/websocket/agent-connections.ts';
import { MAX_FRAME_BYTES } from './adapters/websocket/agent-connection.ts';
import { startHttpServer } from './adapters/http/server.ts';
import { WorkerEvaluator } from './adapters/worker/evaluator.ts';
import { createApp } from './app.ts';
import type { Address } from './config.ts';
import type { GatewaySeeds } from './domain/keys.ts';
import { gatewayKeys } from './domain/keys.ts';
import { OpenLookups } from './domain/open-lookups.ts';
import { keepFollowingDirectory } from './domain/membership.ts';
import type { Quotas } from './domain/quotas.ts';
import type { Policy } from './domain/roster-keeper.ts';
import { RosterKeeper } from './domain/roster-keeper.ts';
import type { OperationalLog } from './log.ts';
import type { AuditLog } from './ports/audit-log.ts';
import type { Directory } from './ports/directory.ts';
import type { Nonces } from './ports/nonces.ts';
import type { Runtime } from './ports/runtime.ts';
import { RESPONSE_HEADERS } from './routes/headers.ts';

export interface GatewayOptions {
  readonly backend: Backend;
  readonly seeds: GatewaySeeds;
  readonly policy: Policy;
  readonly quotas: Quotas;
  readonly listen: Address;
  readonly store: { readonly directory: Directory; readonly auditLog: AuditLog; readonly nonces: Nonces };
  readonly runtime: Runtime;
  readonly log: OperationalLog;
}

export interface RunningGateway {
  readonly url: string;
  /** Finishes the running requests, closes the agents' connections and stops. The store is left to its owner. */
  close(): Promise<void>;
}

/** Time that running requests get beyond the longest wait for a node. */
const DRAIN_SLACK_MS = 1_000;

/** Wires a gateway and starts it. Resolves once it accepts requests; rejects when it cannot listen. */
export async function startGateway(options: GatewayOptions): Promise<RunningGateway> {
  const { backend, store, runtime, log, policy } = options;
  const keys = gatewayKeys(backend, options.seeds);
  const roster = await RosterKeeper.open({ keys, directory: store.directory, runtime, policy });
  const evaluator = new WorkerEvaluator(keys.suite, keys.evaluation, runtime.random);
  const connections = new AgentConnections({
    backend,
    identitySeed: keys.identitySeed,
    runtime,
    log,
    rosterVersion: () => roster.current.roster.version,
  });
  roster.onChange((rosterVersion) => {
    log.info('roster-changed', { rosterVersion });
    connections.announceRoster(rosterVersion);
  });
  let stopping = false;
  const app = createApp({
    ...store,
    keys,
    runtime,
    log,
    evaluator,
    connections,
    roster,
    openLookups: new OpenLookups(),
    quotas: options.quotas,
    stopping: () => stopping,
  });
  const server = await startHttpServer(
    {
      fetch: (request, environment) => app.fetch(request, environment),
      onConnection: (socket, accepted) => connections.attach(socket, accepted),
      maxFrameBytes: MAX_FRAME_BYTES,
      headers: RESPONSE_HEADERS,
    },
    options.listen,
  );
  const following = keepFollowingDirectory({ roster, connections, log });
  return {
    url: server.url,
    async close() {
      stopping = true;
      await following.stop();
      await server.drain(policy.settings.answerTimeoutMs + DRAIN_SLACK_MS);
      await connections.close();
      await server.close();
      await evaluator.close();
    },
  };
}

import { Metrics } from '@hitmachine/service/metrics';
import type { RunningServer } from './adapters/http/server.ts';
import { startHttpServer } from './adapters/http/server.ts';
import { countRequests, measureGateway } from './adapters/telemetry/gateway-metrics.ts';
import type { Address } from './config.ts';
import type { ReadinessDeps } from './domain/readiness.ts';
import { readinessOf } from './domain/readiness.ts';
import type { RosterKeeper } from './domain/roster-keeper.ts';
import type { OperationalLog } from './log.ts';
import type { AuditLog } from './ports/audit-log.ts';
import type { Checkpoints } from './ports/checkpoints.ts';
import type { Connections } from './ports/connections.ts';
import type { GatewayState, Telemetry } from './ports/telemetry.ts';
import { RESPONSE_HEADERS } from './routes/headers.ts';
import { operationsApp } from './routes/operations.ts';
import { GATEWAY_VERSION } from './version.ts';

/** What the state of a gateway is read from. */
interface MeasuredGateway extends ReadinessDeps {
  readonly auditLog: AuditLog;
  readonly published: Checkpoints;
  readonly connections: Connections;
  readonly roster: RosterKeeper;
  readonly log: OperationalLog;
  readonly lateMs: () => number;
}

/** Milliseconds within which gauges belong to one reading. */
const ONE_READING_MS = 250;

/** What is counted and measured of a running gateway. */
export interface OpenedMetrics {
  readonly telemetry: Telemetry;
  /** Gives the gauges something to read, and begins to listen. Rejects when it cannot. */
  serve(gateway: MeasuredGateway, at: Address): Promise<RunningServer>;
}

export function openMetrics(): OpenedMetrics {
  const metrics = new Metrics();
  return {
    telemetry: countRequests(metrics),
    serve(gateway, at) {
      const isReady = readinessOf(gateway);
      let last: { readonly at: number; readonly state: Promise<GatewayState> } | undefined;
      measureGateway(metrics, GATEWAY_VERSION, () => {
        if (last === undefined || performance.now() - last.at > ONE_READING_MS)
          last = { at: performance.now(), state: stateOf(gateway, isReady) };
        return last.state;
      });
      const app = operationsApp(gateway, metrics);
      return startHttpServer(
        {
          fetch: (request) => app.fetch(request),
          // Nothing here takes a WebSocket, so none comes about.
          onConnection: (socket) => socket.terminate(),
          maxFrameBytes: 1,
          headers: RESPONSE_HEADERS,
        },
        at,
      );
    },
  };
}

async function stateOf(gateway: MeasuredGateway, isReady: () => Promise<void>): Promise<GatewayState> {
  const { auditLog, published, connections, roster } = gateway;
  const unknown = (): undefined => undefined;
  const [ready, head, checkpoint] = await Promise.all([
    isReady().then(
      () => true,
      () => false,
    ),
    auditLog.head().catch(unknown),
    published.latest().catch(unknown),
  ]);
  const { version, policy } = roster.current.roster;
  return {
    ready,
    stopping: gateway.stopping(),
    agenciesConnected: connections.connected().length,
    rosterVersion: version,
    policyVersion: policy.version,
    logEntries: head?.size,
    logUnpublished: head === undefined ? undefined : head.size - (checkpoint?.size ?? 0),
    lateMs: gateway.lateMs(),
  };
}

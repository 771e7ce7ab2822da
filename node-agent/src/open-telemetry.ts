import { ASKED_ABOUT_REGISTER } from '@hitmachine/protocol';
import { fileOf, headerLines } from '@hitmachine/service';
import { Metrics } from '@hitmachine/service/metrics';
import { countLookups, measureAgent } from './adapters/telemetry/agent-metrics.ts';
import type { SpanExport } from './adapters/telemetry/span-export.ts';
import { exportSpans } from './adapters/telemetry/span-export.ts';
import { readSecretFile } from './directory.ts';
import type { Readiness } from './domain/running/readiness.ts';
import type { AgentStatus } from './domain/running/status.ts';
import type { OpenedAgent } from './open-agent.ts';
import type { AgentState } from './ports/agent-state.ts';
import type { OperationalLog } from './ports/operational-log.ts';
import type { Telemetry } from './ports/telemetry.ts';
import { AGENT_VERSION } from './version.ts';

/** Milliseconds within which gauges belong to one reading. */
const ONE_READING_MS = 250;

/** What is counted, timed and traced of a running agent. */
export interface OpenedTelemetry extends Telemetry {
  readonly metrics: Metrics;
  /** Gives the gauges something to read. */
  measure(status: () => AgentStatus | Promise<AgentStatus>, readiness: Readiness): void;
  close(deadlineMs: number): Promise<void>;
}

/** Metrics, and traces where agent.yaml names a collector. Throws `config-invalid` for a file of headers that is none. */
export function openTelemetry(agent: OpenedAgent, log: OperationalLog): OpenedTelemetry {
  const metrics = new Metrics();
  const counted = countLookups(metrics);
  const spans = openSpans(agent, log);
  return {
    metrics,
    asked(lookup) {
      counted.asked(lookup);
      spans?.asked(lookup);
    },
    answered(question) {
      counted.answered(question);
      spans?.answered(question);
    },
    measure(status, readiness) {
      const registers = [...agent.config.registers.map(({ id }) => id), ASKED_ABOUT_REGISTER];
      const look = async () => {
        const [problems, found] = [await readiness.problems(), await status()];
        return { state: stateOf(found, problems.length === 0), now: Date.now() };
      };
      // One look for all gauges of one reading.
      let last: { readonly at: number; readonly looked: ReturnType<typeof look> } | undefined;
      measureAgent(metrics, AGENT_VERSION, registers, () => {
        if (last === undefined || performance.now() - last.at > ONE_READING_MS)
          last = { at: performance.now(), looked: look() };
        return last.looked;
      });
    },
    close: async (deadlineMs) => spans?.close(deadlineMs),
  };
}

function openSpans(
  { config, directory, ownServices }: OpenedAgent,
  log: OperationalLog,
): SpanExport | undefined {
  const otlp = config.telemetry?.otlp;
  if (otlp === undefined) return undefined;
  const headers =
    otlp.headersFile === undefined
      ? {}
      : headerLines(
          readSecretFile(
            fileOf(directory.path, otlp.headersFile),
            'telemetry.otlp in agent.yaml names it',
          ).toString('utf8'),
        );
  const service = { name: 'hitmachine-node-agent', version: AGENT_VERSION };
  return exportSpans({ endpoint: otlp.endpoint, headers, service, log, fetch: ownServices.fetch });
}

function stateOf(status: AgentStatus, ready: boolean): AgentState {
  const time = (text: string | undefined): number | undefined =>
    text === undefined ? undefined : Date.parse(text);
  return {
    ready,
    connected: status.gateway.connected,
    connections: status.gateway.connections.filter(({ connected }) => connected).length,
    replicas: new Set(status.gateway.connections.flatMap(({ replica }) => replica ?? [])).size,
    clockAheadMs: status.gateway.clockAheadMs ?? 0,
    rosterVersion: status.rosterVersion,
    policyVersion: status.policyVersion,
    unproved: status.log.unproved,
    alarms: status.log.alarms.length,
    notices: status.notices.length,
    registers: status.registers.map(({ id, state, importedAt, canaryLastBack }) => ({
      id,
      answering: state === 'answering',
      importedAt: time(importedAt),
      canaryBackAt: time(canaryLastBack),
    })),
  };
}

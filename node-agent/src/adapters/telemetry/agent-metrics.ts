import type { Metrics, Reading } from '@hitmachine/service';
import type { AgentState } from '../../ports/agent-state.ts';
import type { Telemetry } from '../../ports/telemetry.ts';

/** What {@link AgentState} is read by, at a moment. */
type Read = () => Promise<{ readonly state: AgentState; readonly now: number }>;

/** The state of an agent as gauges. Registers are those of agent.yaml; how many clients they have is nobody's business. */
export function measureAgent(
  metrics: Metrics,
  version: string,
  registers: readonly string[],
  read: Read,
): void {
  metrics.gauge('agent_info', 'Version of the program.', { version: [version] }, () => [[{ version }, 1]]);
  const one = (name: string, help: string, value: (state: AgentState) => number | boolean): void =>
    metrics.gauge(name, help, {}, async () => [[{}, Number(value((await read()).state))]]);
  one('agent_ready', 'Whether the agent can answer and ask; GET /readyz says why not.', ({ ready }) => ready);
  one('agent_gateway_connected', 'Whether a connection to the gateway stands.', ({ connected }) => connected);
  one(
    'agent_gateway_connections',
    'Connections to the gateway that stand.',
    ({ connections }) => connections,
  );
  one('agent_gateway_replicas', 'Processes of the gateway that they end at.', ({ replicas }) => replicas);
  one(
    'agent_clock_ahead_seconds',
    "This machine's clock less the gateway's, as of the last connection.",
    ({ clockAheadMs }) => Math.round(clockAheadMs / 1_000),
  );
  one('agent_roster_version', 'Version of the roster that is gone by.', ({ rosterVersion }) => rosterVersion);
  one('agent_policy_version', "Version of the federation's policy.", ({ policyVersion }) => policyVersion);
  one(
    'agent_log_unproved',
    "What has yet to be shown to stand in the gateway's log.",
    ({ unproved }) => unproved,
  );
  one('agent_log_alarms', "Open alarms about the gateway's log.", ({ alarms }) => alarms);
  one(
    'agent_notices',
    'Things that an administrator should look at; see hit-agent status.',
    ({ notices }) => notices,
  );
  const each = (
    name: string,
    help: string,
    value: (register: AgentState['registers'][number], now: number) => number | undefined,
  ): void =>
    metrics.gauge(name, help, { register: registers }, async (): Promise<Reading<{ register: string[] }>> => {
      const { state, now } = await read();
      return state.registers.map((register) => [{ register: register.id }, value(register, now)]);
    });
  const age = (at: number | undefined, now: number): number | undefined =>
    at === undefined ? undefined : Math.max(0, Math.round((now - at) / 1_000));
  each('agent_register_answering', 'Whether the register answers.', ({ answering }) => Number(answering));
  each('agent_import_age_seconds', 'Time since the last import.', ({ importedAt }, now) =>
    age(importedAt, now),
  );
  each('agent_canary_age_seconds', 'Time since the canary last came back.', ({ canaryBackAt }, now) =>
    age(canaryBackAt, now),
  );
}

/** Counts and times lookups. Of hits, persons, professionals, purposes and partners there is nothing to count by. */
export function countLookups(metrics: Metrics): Telemetry {
  const asked = metrics.counter('agent_lookups_total', 'Lookups that this agency put.', {
    outcome: ['complete', 'incomplete', 'refused', 'failed'],
  });
  const askedSeconds = metrics.histogram(
    'agent_lookup_seconds',
    'How long they took, but for refused ones.',
    {},
  );
  const answered = metrics.counter('agent_questions_total', 'Questions that came from other agencies.', {
    outcome: ['answered', 'refused', 'session-unknown', 'rejected'],
  });
  const answeredSeconds = metrics.histogram('agent_question_seconds', 'How long their answers took.', {});
  return {
    asked({ outcome, start, end }) {
      asked.add({ outcome });
      if (outcome !== 'refused') askedSeconds.add({}, (end - start) / 1_000);
    },
    answered({ outcome, start, end }) {
      answered.add({ outcome });
      answeredSeconds.add({}, (end - start) / 1_000);
    },
  };
}

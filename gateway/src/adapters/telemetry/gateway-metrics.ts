import type { Metrics } from '@hitmachine/service';
import type { AnsweredRequest, GatewayState, Telemetry } from '../../ports/telemetry.ts';

/** What a request was for, by its route; everything else is `other`. */
const KINDS: Readonly<Record<string, string>> = {
  'POST /v1/lookups': 'lookup',
  'POST /v1/lookups/{lookupId}/questions': 'questions',
  'POST /v1/evaluations': 'import',
  'GET /v1/connect': 'connect',
};
const OTHER = 'other';
const OUTCOMES = ['done', 'refused', 'turned-away', 'failed'] as const;

/** Turned away is for too much at a time; failed, for a reason of the gateway's own. */
function outcomeOf(status: number): (typeof OUTCOMES)[number] {
  if (status < 400) return 'done';
  if (status === 429 || status === 503) return 'turned-away';
  return status < 500 ? 'refused' : 'failed';
}

/** Counts and times requests. Of agencies, persons, purposes and registers there is nothing to count by. */
export function countRequests(metrics: Metrics): Telemetry {
  const kinds = [...Object.values(KINDS), OTHER];
  const requests = metrics.counter('gateway_requests_total', 'Requests that were answered.', {
    kind: kinds,
    outcome: OUTCOMES,
  });
  const lookups = metrics.histogram('gateway_lookup_seconds', 'How long it took to open a lookup.', {});
  return {
    request({ route = '', status, ms }: AnsweredRequest) {
      const kind = KINDS[route] ?? OTHER;
      const outcome = outcomeOf(status);
      requests.add({ kind, outcome });
      if (kind === 'lookup' && outcome === 'done') lookups.add({}, ms / 1_000);
    },
  };
}

/** The state of a gateway as gauges. */
export function measureGateway(metrics: Metrics, version: string, read: () => Promise<GatewayState>): void {
  metrics.gauge('gateway_info', 'Version of the program.', { version: [version] }, () => [[{ version }, 1]]);
  const one = (
    name: string,
    help: string,
    value: (state: GatewayState) => number | boolean | undefined,
  ): void =>
    metrics.gauge(`gateway_${name}`, help, {}, async () => {
      const found = value(await read());
      return [[{}, found === undefined ? undefined : Number(found)]];
    });
  one(
    'ready',
    'Whether lookups can be logged, and so answered; GET /readyz says why not.',
    ({ ready }) => ready,
  );
  one('stopping', 'Whether it finishes what runs, and takes nothing new.', ({ stopping }) => stopping);
  one(
    'agencies_connected',
    'Agencies with an agent that is connected, at any replica.',
    ({ agenciesConnected }) => agenciesConnected,
  );
  one('roster_version', 'Version of the roster in force.', ({ rosterVersion }) => rosterVersion);
  one('policy_version', 'Version of the policy in force.', ({ policyVersion }) => policyVersion);
  one('log_entries', 'Entries of the audit log.', ({ logEntries }) => logEntries);
  one(
    'log_unpublished',
    'Entries that no published checkpoint covers yet: some seconds of them, unless something is wrong.',
    ({ logUnpublished }) => logUnpublished,
  );
  one(
    'late_seconds',
    'By how much this process is late with what it has to do.',
    ({ lateMs }) => Math.round(lateMs) / 1_000,
  );
}

import { z } from 'zod';
import type { ConnectionsState } from '../../ports/gateway-connection.ts';

/** How this agent is connected, for its administrators. Times in ISO 8601, UTC. */
export const gatewayStatusSchema = z.strictObject({
  url: z.string(),
  connected: z.boolean(),
  since: z.string(),
  problem: z.string().optional(),
  connections: z.array(
    z.strictObject({
      url: z.string(),
      connected: z.boolean(),
      replica: z.string().optional(),
      since: z.string(),
      problem: z.string().optional(),
    }),
  ),
  clockAheadMs: z.int().optional(),
});
export type GatewayStatus = z.infer<typeof gatewayStatusSchema>;

const iso = (at: number): string => new Date(at).toISOString();

/** `url`: the address of the enrolment. */
export function gatewayStatusOf(url: string, state: ConnectionsState): GatewayStatus {
  const { connected, since, problem, connections, gatewayAheadMs } = state;
  return {
    url,
    connected,
    since: iso(since),
    problem,
    connections: connections.map((one) => ({ ...one, since: iso(one.since) })),
    // -0 is no number of JSON.
    clockAheadMs: gatewayAheadMs === undefined ? undefined : 0 - gatewayAheadMs,
  };
}

/** What keeps an agent from answering, as far as its connections and its clock are the reason. */
export function connectionProblems({ connected, problem, clockProblem }: ConnectionsState): string[] {
  return [
    ...(connected ? [] : [`not connected to the gateway: ${problem ?? 'connecting'}`]),
    ...(clockProblem === undefined ? [] : [clockProblem]),
  ];
}

/** What an administrator should look at: it works, and the next failure would stop it. */
export function connectionNotices({ connected, connections }: ConnectionsState): string[] {
  if (!connected) return [];
  const missing = connections
    .map((connection, i) => ({ ...connection, number: i + 1 }))
    .filter((connection) => !connection.connected);
  return missing.map(
    ({ number, url, problem }) =>
      `connection ${number} of ${connections.length} to the gateway is down (${url}): ${problem ?? 'connecting'}`,
  );
}

import { ASKED_ABOUT_REGISTER, encodeBase64 } from '@hitmachine/protocol';
import { z } from 'zod';
import type { ConfiguredRegister } from '../config.ts';
import type { Clock } from '../ports/clock.ts';
import type { GatewayConnection } from '../ports/gateway-connection.ts';
import type { PseudonymStore } from '../ports/pseudonym-store.ts';
import type { Membership } from '../ports/state-store.ts';
import type { AnsweringTables } from './answering-tables.ts';
import type { CanaryWatch } from './canary-watch.ts';
import type { AgencyKeys } from './keys.ts';
import type { WatchedLog } from './log-status.ts';
import { logStatusOf, logStatusSchema } from './log-status.ts';
import type { RosterKeeper } from './roster-keeper.ts';
import { typesInUse } from './token-types.ts';

/** How an agent is doing, for its administrators. Times in ISO 8601, UTC. */
export const agentStatusSchema = z.strictObject({
  agency: z.string(),
  gateway: z.strictObject({
    url: z.string(),
    connected: z.boolean(),
    since: z.string(),
    problem: z.string().optional(),
  }),
  rosterVersion: z.int(),
  epoch: z.strictObject({ number: z.int(), day: z.string() }).optional(),
  registers: z.array(
    z.strictObject({
      id: z.string(),
      name: z.string(),
      clients: z.int().optional(),
      importedAt: z.string().optional(),
      state: z
        .enum([
          'answering',
          'not-imported',
          'building',
          'not-built',
          'not-connected',
          'starting',
          'canary-failed',
        ])
        .describe('`answering`, or why lookups get no answer from this register'),
      upToDate: z.boolean().describe('whether the last import is what is answered from'),
      canaryLastBack: z.string().optional(),
      problem: z.string().optional(),
    }),
  ),
  log: logStatusSchema,
  problems: z.array(z.string()).describe('what keeps this agent from being ready; empty when it is'),
  notices: z.array(z.string()).describe('what an administrator should look at'),
});
export type AgentStatus = z.infer<typeof agentStatusSchema>;
type RegisterState = AgentStatus['registers'][number]['state'];

interface StatusDeps {
  readonly membership: Membership;
  readonly roster: RosterKeeper;
  readonly tables: AnsweringTables;
  readonly canaries: CanaryWatch;
  readonly pseudonyms: PseudonymStore;
  readonly connection: GatewayConnection;
  readonly registers: readonly ConfiguredRegister[];
  readonly keys: AgencyKeys;
  readonly watch: WatchedLog;
  readonly clock: Clock;
}

const iso = (at: number): string => new Date(at).toISOString();

export function statusOf(deps: StatusDeps): AgentStatus {
  const { membership, roster, tables, connection } = deps;
  const { connected, since, problem } = connection.state();
  const log = logStatusOf(deps.watch, deps.clock);
  const imports = new Map(deps.pseudonyms.imports().map((state) => [state.register, state]));
  const registers = deps.registers.map((register) => {
    const { id, name } = register;
    const notBuilt = tables.problem(id);
    const imported = imports.get(id);
    const canary = deps.canaries.state(id);
    const built = tables.stored?.generations[id];
    const state: RegisterState =
      imported === undefined
        ? 'not-imported'
        : built === undefined
          ? 'building'
          : notBuilt !== undefined
            ? 'not-built'
            : connected
              ? stateOf(deps.canaries.obstacle(id))
              : 'not-connected';
    return {
      id,
      name,
      clients: imported?.clients,
      importedAt: imported === undefined ? undefined : iso(imported.importedAt),
      state,
      // Persons who were newly asked about come with the next tables, when those are due.
      upToDate:
        imported !== undefined &&
        (id === ASKED_ABOUT_REGISTER ? built !== undefined : built === imported.generation),
      canaryLastBack: canary.lastBack === undefined ? undefined : iso(canary.lastBack),
      problem: notBuilt ?? canary.problem ?? unusedTypes(register, roster),
    };
  });
  return {
    agency: membership.agency,
    gateway: { url: membership.gatewayUrl, connected, since: iso(since), problem },
    rosterVersion: roster.roster.version,
    epoch: tables.stored === undefined ? undefined : { number: tables.stored.epoch, day: tables.stored.day },
    registers,
    log: log.status,
    problems: [
      ...(connected ? [] : [`not connected to the gateway: ${problem ?? 'connecting'}`]),
      ...registers
        .filter(({ state }) => !['answering', 'not-imported', 'not-connected'].includes(state))
        .map(({ id, state, problem: why }) =>
          state === 'not-built'
            ? `register ${id} does not answer: ${why ?? state}`
            : `register ${id} does not answer: ${state}`,
        ),
      ...roster
        .changedKeys()
        .map(
          (name) =>
            `the keys of ${name} are not those that were pinned; check them and run "hit-agent trust"`,
        ),
      ...ownEntryProblems(deps),
      ...(roster.refused === undefined ? [] : [`${roster.refused}: tell its administrator`]),
      ...log.problems,
    ],
    notices: [
      ...log.notices,
      ...(roster.budgetsChanged
        ? ['the federation moved the bits that questions may show; look at them, and run "hit-agent trust"']
        : []),
      ...roster
        .vanishedRegisters()
        .map(
          (name) => `${name} is not on the roster any more; if that is right, run "hit-agent trust ${name}"`,
        ),
    ],
  };
}

/** A note on token types that agent.yaml has and the federation has not, or not any more: the register goes on without. */
function unusedTypes(register: ConfiguredRegister, { roster }: RosterKeeper): string | undefined {
  const used = typesInUse(register, roster.settings);
  const unused = register.tokenTypes.filter((type) => !used.includes(type));
  return unused.length === 0 ? undefined : `this federation does not match on ${unused.join(', ')}`;
}

function ownEntryProblems({ roster, keys }: StatusDeps): string[] {
  if (!roster.isMember) return ['this agency is not on the roster (any more)'];
  const { identityKey, sessionKey } = roster.self;
  if (
    identityKey === encodeBase64(keys.identityKey) &&
    sessionKey.kem === keys.sessionKey.kem &&
    sessionKey.publicKey === keys.sessionKey.publicKey
  )
    return [];
  return [
    'the roster holds other keys for this agency than its own: enrol again, and tell the administrator of the gateway',
  ];
}

function stateOf(obstacle: ReturnType<CanaryWatch['obstacle']>): RegisterState {
  if (obstacle === undefined) return 'answering';
  return obstacle === 'canary-failed' ? 'canary-failed' : 'starting';
}

import { ASKED_ABOUT_REGISTER, encodeBase64 } from '@hitmachine/protocol';
import { z } from 'zod';
import type { ConfiguredRegister } from '../../config.ts';
import type { Clock } from '../../ports/clock.ts';
import type { GatewayConnection } from '../../ports/gateway-connection.ts';
import type { PseudonymStore } from '../../ports/pseudonym-store.ts';
import type { LostEntries, Membership, StoppedAnswering } from '../../ports/state-store.ts';
import type { AnsweringTables } from '../answering/answering-tables.ts';
import type { CanaryWatch } from '../answering/canary-watch.ts';
import {
  connectionNotices,
  connectionProblems,
  gatewayStatusOf,
  gatewayStatusSchema,
} from './connection-status.ts';
import type { AgencyKeys } from '../keys.ts';
import type { WatchedLog } from '../own-log/log-status.ts';
import { logStatusOf, logStatusSchema } from '../own-log/log-status.ts';
import { UNKNOWN_NODE_KEY } from '../rotation/node-key-in-use.ts';
import type { NodePolicyKeeper } from '../answering/node-policy-keeper.ts';
import { unknownNames } from '../answering/node-policy-names.ts';
import type { OpenReview, OpenReviews } from '../desk/open-reviews.ts';
import { REVIEW_DAYS } from '../desk/open-reviews.ts';
import type { RosterKeeper } from '../membership/roster-keeper.ts';
import { ownSettings, typesInUse } from '../membership/token-types.ts';
import type { HandOverState } from '../importing/hand-overs.ts';

/** How an agent is doing, for its administrators. Times in ISO 8601, UTC. */
export const agentStatusSchema = z.strictObject({
  agency: z.string(),
  gateway: gatewayStatusSchema,
  rosterVersion: z.int(),
  policyVersion: z.int(),
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
      handOver: z
        .strictObject({
          last: z.string().optional(),
          refused: z.strictObject({ at: z.string(), code: z.string() }).optional(),
        })
        .optional(),
      problem: z.string().optional(),
    }),
  ),
  answering: z.strictObject({
    stopped: z.boolean(),
    since: z.string().optional(),
    reason: z.string().optional(),
  }),
  reviews: z.int(),
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
  readonly ownPolicy: NodePolicyKeeper;
  readonly reviews: OpenReviews;
  /** What an administrator should know of changed settings. */
  readonly settingsNotices: () => readonly string[];
  /** What keeps sources from being imported. */
  readonly sourceProblems?: () => readonly string[];
  /** Of registers that machines with their source hand over; without it none are. */
  readonly handOvers?: (() => Promise<ReadonlyMap<string, HandOverState>>) | undefined;
  /** What the gateway's log knows of this agency's own log, and that has not. */
  readonly lostEntries?: () => Promise<LostEntries | undefined>;
  /** Days that the content of the agency's own log is kept. */
  readonly logRetentionDays: number;
}

/** What keeps a register from answering, for its administrator. */
const WORDS: Partial<Record<RegisterState, string>> = {
  building: 'its tables are being made',
  starting: 'its own test question has not come back yet; that takes a minute after a start',
  'canary-failed': 'its own test question, which goes all the way through the gateway, does not come back',
};

const DAY_MS = 86_400_000;
const iso = (at: number): string => new Date(at).toISOString();

export async function statusOf(deps: StatusDeps): Promise<AgentStatus> {
  const { membership, roster, tables, connection } = deps;
  const connections = connection.state();
  const { connected } = connections;
  const log = await logStatusOf(deps.watch, deps.clock);
  const held = await deps.pseudonyms.imports();
  const imports = new Map(held.map((state) => [state.register, state]));
  const handOvers = await deps.handOvers?.();
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
      handOver: handOverOf(handOvers?.get(id)),
      problem: notBuilt ?? canary.problem ?? unusedTypes(register, roster),
    };
  });
  const open = await deps.reviews.list();
  const stopped = await deps.ownPolicy.stopped();
  return {
    agency: membership.agency,
    gateway: gatewayStatusOf(membership.gatewayUrl, connections),
    rosterVersion: roster.roster.version,
    policyVersion: roster.roster.policy.version,
    epoch: tables.stored === undefined ? undefined : { number: tables.stored.epoch, day: tables.stored.day },
    registers,
    answering: answeringOf(deps, stopped),
    reviews: open.length,
    log: log.status,
    problems: [
      ...connectionProblems(connections),
      ...registers
        .filter(({ state }) => !['answering', 'not-imported', 'not-connected'].includes(state))
        .map(({ id, state, problem: why }) =>
          [`register ${id} does not answer`, WORDS[state], why]
            .filter((part) => part !== undefined)
            .join(': '),
        ),
      ...roster
        .changedKeys()
        .map(
          (name) =>
            `the keys of ${name} are not those that were pinned; check them and run "hit-agent trust"`,
        ),
      ...(held.some(({ nodeKey }) => deps.keys.nodeKeyOf(nodeKey) === undefined) ? [UNKNOWN_NODE_KEY] : []),
      ...keyChangeProblems(deps),
      ...ownEntryProblems(deps),
      ...(roster.refused === undefined ? [] : [`${roster.refused}: tell its administrator`]),
      ...retentionProblems(deps),
      ...(deps.sourceProblems?.() ?? []),
      ...log.problems,
    ],
    notices: [
      ...connectionNotices(connections),
      ...deps.settingsNotices(),
      ...handOverNotices(registers),
      ...keyChangeNotices(deps),
      ...log.notices,
      ...(await lostEntriesNotices(deps)),
      ...policyNotices(deps, stopped),
      ...reviewNotices(open, deps.clock()),
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

function handOverOf(state: HandOverState | undefined): AgentStatus['registers'][number]['handOver'] {
  if (state === undefined) return undefined;
  const { last, refused } = state;
  return {
    ...(last !== undefined && { last: iso(last) }),
    ...(refused !== undefined && { refused: { at: iso(refused.at), code: refused.code } }),
  };
}

const handOverNotices = (registers: readonly Pick<AgentStatus['registers'][number], 'id' | 'handOver'>[]) =>
  registers.flatMap(({ id, handOver }) =>
    handOver?.refused === undefined
      ? []
      : [
          `the last hand-over of ${id} came to nothing at ${handOver.refused.at} (${handOver.refused.code}): what it said to the machine with the source stands there`,
        ],
  );

/** A note on token types that agent.yaml has and the federation has not, or not any more: the register goes on without. */
function unusedTypes(register: ConfiguredRegister, roster: RosterKeeper): string | undefined {
  const used = typesInUse(register, ownSettings(roster));
  const unused = register.tokenTypes.filter((type) => !used.includes(type));
  if (unused.length === 0) return undefined;
  const { policy } = roster.roster;
  const withoutRight = unused.filter((type) => Object.hasOwn(policy.settings.tokenTypes, type));
  return withoutRight.length > 0
    ? `this agency has no right to use ${withoutRight.join(', ')}`
    : `this federation does not match on ${unused.join(', ')}`;
}

function answeringOf(
  { ownPolicy }: StatusDeps,
  stopped: StoppedAnswering | undefined,
): AgentStatus['answering'] {
  if (stopped === undefined) return { stopped: !ownPolicy.policy.answering };
  return { stopped: true, since: iso(stopped.since), reason: stopped.reason };
}

/** What an administrator should know of the rules: those of the federation, and this agency's own. */
function policyNotices(
  { ownPolicy, roster, registers }: StatusDeps,
  stopped: StoppedAnswering | undefined,
): string[] {
  const { refused, policy } = ownPolicy;
  const why = stopped?.reason === undefined ? '' : `: ${stopped.reason}`;
  return [
    ...(stopped === undefined
      ? []
      : [`nothing is answered since ${iso(stopped.since)}${why}; to go on, run "hit-agent answering on"`]),
    ...(stopped === undefined && !policy.answering
      ? ['nothing is answered: policy.yaml says "answering: false"']
      : []),
    ...(refused === undefined
      ? []
      : [`the changed policy.yaml was refused, and the one before it stays: ${refused}`]),
    ...unknownNames(
      policy,
      roster.roster,
      registers.map(({ id }) => id),
    ).map(({ path, detail }) => `policy.yaml: ${path.join('.')}: ${detail}`),
    ...(roster.newPolicy === undefined
      ? []
      : [
          `version ${roster.newPolicy.version} of the federation's policy is in force since ${iso(roster.newPolicy.since)}`,
        ]),
  ];
}

async function lostEntriesNotices({ lostEntries }: StatusDeps): Promise<string[]> {
  const lost = await lostEntries?.();
  if (lost === undefined) return [];
  const { held, known, foundAt } = lost;
  const what =
    held < known
      ? `entries ${held + 1} to ${known} of this agency's own log are missing`
      : `this agency's own log is another than the one that it had at entry ${known}`;
  return [
    `${what}, as the gateway's log shows since ${iso(foundAt)}: the database is an old copy. Write down when and why it was put back, for whoever reviews the log`,
  ];
}

function reviewNotices(open: readonly OpenReview[], now: number): string[] {
  const late = open.filter(({ at }) => now - at > REVIEW_DAYS * DAY_MS).length;
  return late === 0
    ? []
    : [
        `${late} of the lookups that were asked in need wait for a review for more than ${REVIEW_DAYS} days; see "hit-agent review"`,
      ];
}

function retentionProblems({ roster, logRetentionDays }: StatusDeps): string[] {
  const least = roster.roster.policy.logRetentionDays;
  return logRetentionDays >= least
    ? []
    : [
        `log.retentionDays in agent.yaml is ${logRetentionDays}, and the federation's policy wants at least ${least}`,
      ];
}

/** Announcements of new keys that somebody has to look at. */
function keyChangeProblems({ roster, membership, keys }: StatusDeps): string[] {
  const own = roster.isMember ? roster.self.keyChange?.identityKey : undefined;
  const isOurs = keys.identities.some(({ identityKey }) => encodeBase64(identityKey) === own);
  return roster.announcedKeys().flatMap(({ agency, from, valid }) => {
    if (agency === membership.agency && isOurs) return [];
    if (agency === membership.agency) return [notOurs(from)];
    if (valid) return [];
    return [
      `the gateway shows an announcement of new keys of ${agency} that is not signed with its pinned key: ask ${agency}, and the administrator of the gateway`,
    ];
  });
}

const notOurs = (from: number): string =>
  `NEW KEYS WERE ANNOUNCED FOR THIS AGENCY, from ${iso(from)} on, AND NOT BY THIS AGENT: somebody may hold its identity key. Call the administrator of the gateway at once, and enrol again with new keys (where another replica of this agent did it: copy its keystore.json here)`;

/** Announcements of new keys that are in order: they are followed by themselves. */
function keyChangeNotices({ roster }: StatusDeps): string[] {
  return roster
    .announcedKeys()
    .filter(({ valid }) => valid)
    .map(
      ({ agency, from, fingerprint }) =>
        `${agency} has new keys from ${iso(from)} on, as it announced with its pinned ones: ${fingerprint}`,
    );
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
    'the roster holds other keys for this agency than keystore.json: put back the keystore.json that belongs to this agency; where it is lost, enrol again, and tell the administrator of the gateway',
  ];
}

function stateOf(obstacle: ReturnType<CanaryWatch['obstacle']>): RegisterState {
  if (obstacle === undefined) return 'answering';
  return obstacle === 'canary-failed' ? 'canary-failed' : 'starting';
}

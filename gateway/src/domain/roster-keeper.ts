import { isDeepStrictEqual } from 'node:util';
import type {
  EvaluationKeys,
  LogEvent,
  Members,
  Roster,
  RosterPayload,
  SignedDocument,
} from '@hitmachine/protocol';
import {
  GATEWAY_KEY_ID,
  HitError,
  ROSTER_KIND,
  decodeBase64,
  digestOf,
  fitsListedKeys,
  memberOf,
  openRoster,
  openRosterPayload,
  parseJson,
  rosterSchema,
  signDocument,
  signersOf,
} from '@hitmachine/protocol';
import { InTurn } from '@hitmachine/service';
import type { AuditLog } from '../ports/audit-log.ts';
import type { Directory, StoredRoster } from '../ports/directory.ts';
import type { LogSearch } from '../ports/log-search.ts';
import type { Runtime } from '../ports/runtime.ts';
import type { GatewayKeys } from './keys.ts';
import { evaluationKeysOf } from './evaluation-keys.ts';
import { publicKeys } from './keys.ts';
import { enrolledAgency, federationKeys, listed, openMembers } from './members.ts';
import { openPolicy } from './policies.ts';

export interface CurrentRoster {
  readonly roster: Roster;
  readonly document: SignedDocument;
}

interface RosterDeps {
  readonly keys: GatewayKeys;
  readonly directory: Directory;
  readonly auditLog: AuditLog;
  readonly search: LogSearch;
  readonly runtime: Runtime;
  readonly federation: string;
}

/**
 * Holds the roster that is in force. It follows from the directory and the policy, so after a crash between a change
 * and its roster the next start makes up for it. A version is stored and stands in the log before anybody gets to see
 * it, once: one that could be stored and not logged is logged by the next refresh or start, as it is. Of several
 * gateways on one directory one makes the next version, and the others take it over.
 */
export class RosterKeeper {
  readonly #deps: RosterDeps;
  readonly #listeners: ((version: number) => void)[] = [];
  #current: CurrentRoster;
  readonly #turns = new InTurn();

  private constructor(deps: RosterDeps, current: CurrentRoster) {
    this.#deps = deps;
    this.#current = current;
  }

  /** Opens the stored roster, or makes the first, and brings it up to date with the policy. */
  static async open(deps: RosterDeps): Promise<RosterKeeper> {
    const stored = await openStored(deps);
    if (stored !== undefined && stored.roster.federation !== deps.federation)
      throw new HitError(
        'config-invalid',
        `federation: the roster of this directory is that of "${stored.roster.federation}"; a federation keeps its name`,
      );
    const keeper = new RosterKeeper(deps, await upToDate(deps));
    await keeper.refresh();
    return keeper;
  }

  get current(): CurrentRoster {
    return this.#current;
  }

  /** Calls `listener` with the number of every version that comes into force from now on. */
  onChange(listener: (version: number) => void): void {
    this.#listeners.push(listener);
  }

  /** Makes a new version if the directory says something else than the current one. One at a time, in order. */
  refresh(): Promise<CurrentRoster> {
    return this.#turns.run(() => this.#refresh());
  }

  async #refresh(): Promise<CurrentRoster> {
    const { deps, before } = { deps: this.#deps, before: this.#current };
    const [stored, after] = [await deps.directory.latestRoster(), await next(deps, before)];
    if (stored?.version === before.roster.version && after === before) return before;
    this.#current = await upToDate(deps);
    if (this.#current.roster.version === before.roster.version) return before;
    for (const listener of this.#listeners) listener(this.#current.roster.version);
    // What may have changed while this one waited for its entry.
    return this.#refresh();
  }
}

/**
 * The roster as it should be now, stored and logged: the latest one, whoever made it, or the next. Each version is logged
 * before there is another one, also where whoever stored it did not get to that.
 */
function upToDate(deps: RosterDeps): Promise<CurrentRoster> {
  return deps.directory.exclusively(async () => {
    const stored = await openStored(deps);
    if (stored !== undefined) await log(deps, stored);
    const after = await next(deps, stored);
    if (after === stored) return after;
    await store(deps, after);
    await log(deps, after);
    return after;
  });
}

const openStored = async (deps: RosterDeps): Promise<CurrentRoster | undefined> =>
  opened(deps, await deps.directory.latestRoster());

function opened({ keys }: RosterDeps, stored: StoredRoster | undefined): CurrentRoster | undefined {
  if (stored === undefined) return undefined;
  const roster = openRoster(keys.suite.backend, stored.document, keys.identityKey);
  return { roster, document: stored.document };
}

/** The roster as it should be now: the one before, or a next version. */
async function next(deps: RosterDeps, before: CurrentRoster | undefined): Promise<CurrentRoster> {
  const { keys, federation, runtime } = deps;
  const now = runtime.now();
  const decided = await decidedBy(deps, before, now);
  const content: RosterPayload = {
    format: 'hitmachine-roster-1',
    federation,
    version: before?.roster.version ?? 0,
    issuedAt: before?.roster.issuedAt ?? 0,
    ...decided,
  };
  if (before !== undefined && isDeepStrictEqual(content, payloadOf(before))) return before;
  const payload = rosterSchema.parse({ ...content, version: content.version + 1, issuedAt: now });
  const { backend } = keys.suite;
  const signer = { keyId: GATEWAY_KEY_ID, seed: keys.identitySeed.reveal() };
  const document = signDocument(backend, ROSTER_KIND, payload, signer);
  return { roster: openRosterPayload(backend, payload), document };
}

/**
 * What people decided: the policy, and who takes part. Where an offline key is to be used that has not yet signed both,
 * that of the roster before stays; registers and removals come through all the same.
 */
async function decidedBy(
  { keys, directory }: RosterDeps,
  before: CurrentRoster | undefined,
  now: number,
): Promise<Pick<RosterPayload, 'gateway' | 'policy' | 'members' | 'agencies'>> {
  const policy = await directory.latestPolicy();
  if (policy === undefined) throw new HitError('config-invalid', 'no policy was published yet');
  const records = await directory.agencies();
  const offlineKey = await directory.offlineKey();
  if (offlineKey === undefined)
    return {
      gateway: {
        ...publicKeys(keys),
        ...evaluationKeysOf(keys, before?.roster.gateway, await directory.evaluationKey()),
      },
      policy: policy.document,
      agencies: records.flatMap((record) => enrolledAgency(record, now)),
    };
  const inForce = before?.roster.gateway;
  const signed = await signedByAll({ keys, directory }, offlineKey, policy.document, inForce);
  if (signed !== undefined) return { ...signed.documents, agencies: listed(records, signed.members, now) };
  if (before === undefined)
    throw new HitError('config-invalid', 'the offline key has signed no policy and no list of members yet');
  const { gateway, policy: standing, members } = payloadOf(before);
  return {
    gateway,
    policy: standing,
    ...(members !== undefined && { members }),
    agencies: listed(records, { agencies: before.roster.agencies.map(memberOf) }, now),
  };
}

/**
 * The documents that the offline key signed; undefined while one of them is missing, or puts an evaluation key in force
 * that is not in the key store here.
 */
async function signedByAll(
  { keys, directory }: Pick<RosterDeps, 'keys' | 'directory'>,
  offlineKey: string,
  policy: SignedDocument,
  inForce: EvaluationKeys | undefined,
): Promise<
  { members: Members; documents: Pick<RosterPayload, 'gateway' | 'policy' | 'members'> } | undefined
> {
  const stored = await directory.latestMembers();
  if (stored === undefined) return undefined;
  const own = federationKeys(keys, offlineKey);
  try {
    openPolicy({ keys }, policy, signersOf(own));
    const members = openMembers(keys, offlineKey, stored.document);
    const decided = members.gateway;
    const gateway = { ...own, ...evaluationKeysOf(keys, inForce ?? decided, decided.evaluationKey) };
    if (!fitsListedKeys(decided, gateway)) return undefined;
    return { members, documents: { gateway, policy, members: stored.document } };
  } catch (error) {
    if (error instanceof HitError && error.code === 'signature-invalid') return undefined;
    throw error;
  }
}

/** What documents say: twice a second the one in force is compared with the directory, and it is read once. */
const payloads = new WeakMap<SignedDocument, RosterPayload>();

function payloadOf({ document }: CurrentRoster): RosterPayload {
  const known = payloads.get(document);
  if (known !== undefined) return known;
  const payload = parseJson(rosterSchema, decodeBase64(document.payload));
  payloads.set(document, payload);
  return payload;
}

const store = ({ directory }: RosterDeps, { roster, document }: CurrentRoster): Promise<void> =>
  directory.saveRoster({ version: roster.version, document });

/** Logs a version that is stored, unless it stands in the log already. */
async function log(deps: RosterDeps, after: CurrentRoster): Promise<void> {
  const { auditLog, runtime, search, directory } = deps;
  const digest = digestOf(after.document);
  const { version } = after.roster;
  const [latest] = await search.find({ events: ['roster'] }, undefined, 1);
  if (latest?.entry.event === 'roster' && latest.entry.digest === digest) return;
  const before = opened(deps, await directory.roster(version - 1));
  const changed = changesBetween(before?.roster, after.roster);
  await auditLog.append(runtime.now(), { event: 'roster', version, digest, changed });
}

type Change = Extract<LogEvent, { event: 'roster' }>['changed'][number];

/** What is other in a roster than in the one before; everything in the first. */
function changesBetween(before: Roster | undefined, after: Roster): Change[] {
  const parts: Readonly<Record<Change, (roster: Roster) => unknown>> = {
    'gateway-keys': ({ gateway }) => gateway,
    policy: ({ policy }) => policy,
    members: ({ members }) => members?.payload,
    agencies: ({ agencies }) => agencies.map(({ id, name, kind }) => [id, name, kind]),
    'agency-keys': ({ agencies }) =>
      agencies.map(({ id, identityKey, sessionKey, keyChange }) => [id, identityKey, sessionKey, keyChange]),
    registers: ({ agencies }) => agencies.map(({ id, registers }) => [id, registers]),
  };
  return (Object.keys(parts) as Change[]).filter(
    (part) => !isDeepStrictEqual(before && parts[part](before), parts[part](after)),
  );
}

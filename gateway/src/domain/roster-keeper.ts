import { isDeepStrictEqual } from 'node:util';
import type { LogEvent, Purpose, Roster, Settings, SignedDocument } from '@hitmachine/protocol';
import {
  GATEWAY_KEY_ID,
  HitError,
  ROSTER_KIND,
  decodeBase64,
  encodeBase64,
  openDocument,
  rosterSchema,
  signDocument,
} from '@hitmachine/protocol';
import type { AuditLog } from '../ports/audit-log.ts';
import type { AgencyRecord, Directory } from '../ports/directory.ts';
import type { LogSearch } from '../ports/log-search.ts';
import type { Runtime } from '../ports/runtime.ts';
import type { GatewayKeys } from './keys.ts';
import { publicKeys } from './keys.ts';
import { sha256 } from './sha256.ts';

/** What the federation has agreed on, as the configuration has it. */
export interface Policy {
  readonly federation: string;
  readonly settings: Settings;
  readonly purposes: readonly Purpose[];
}

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
  readonly policy: Policy;
}

interface Unlogged {
  readonly before: Roster | undefined;
  readonly after: CurrentRoster;
}

/**
 * Holds the roster that is in force. It follows from the directory and the policy, so after a crash between a change
 * and its roster the next start makes up for it. A version is stored and stands in the log before anybody gets to see
 * it, once: one that could be stored and not logged is logged by the next refresh or start, as it is.
 */
export class RosterKeeper {
  readonly #deps: RosterDeps;
  readonly #listeners: ((version: number) => void)[] = [];
  #current: CurrentRoster;
  /** A version that is stored and stands in the log not yet. */
  #unlogged: Unlogged | undefined;
  #last: Promise<unknown> = Promise.resolve();

  private constructor(deps: RosterDeps, current: CurrentRoster, unlogged: Unlogged | undefined) {
    this.#deps = deps;
    this.#current = current;
    this.#unlogged = unlogged;
  }

  /** Opens the stored roster, or makes the first, and brings it up to date with the policy. */
  static async open(deps: RosterDeps): Promise<RosterKeeper> {
    const stored = await openStored(deps);
    if (stored !== undefined && stored.roster.federation !== deps.policy.federation)
      throw new HitError(
        'config-invalid',
        `federation: the roster of this directory is that of "${stored.roster.federation}"; a federation keeps its name`,
      );
    const first = stored ?? (await next(deps, undefined));
    if (stored === undefined) await store(deps, first);
    const logged = stored !== undefined && (await isLogged(deps, stored));
    // What changed is not known any more: the version before it was not kept at hand.
    const keeper = new RosterKeeper(deps, first, logged ? undefined : { before: undefined, after: first });
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
  async refresh(): Promise<CurrentRoster> {
    const next = this.#last.then(() => this.#refresh());
    this.#last = next.catch(() => undefined);
    return next;
  }

  async #refresh(): Promise<CurrentRoster> {
    const { deps, before } = { deps: this.#deps, before: this.#current };
    if (this.#unlogged === undefined) {
      const after = await next(deps, before);
      if (after === before) return before;
      await store(deps, after);
      this.#unlogged = { before: before.roster, after };
    }
    const { after } = this.#unlogged;
    await log(deps, this.#unlogged);
    this.#unlogged = undefined;
    this.#current = after;
    for (const listener of this.#listeners) listener(after.roster.version);
    // What may have changed while this one waited for its entry.
    return this.#refresh();
  }
}

async function openStored({ directory, keys }: RosterDeps): Promise<CurrentRoster | undefined> {
  const stored = await directory.latestRoster();
  if (stored === undefined) return undefined;
  const signer = { keyId: GATEWAY_KEY_ID, publicKey: keys.identityKey };
  const roster = openDocument(keys.suite.backend, ROSTER_KIND, rosterSchema, stored.document, signer);
  return { roster, document: stored.document };
}

/** The roster as it should be now: the one before, or a next version. */
async function next(deps: RosterDeps, before: CurrentRoster | undefined): Promise<CurrentRoster> {
  const { keys, directory, policy, runtime } = deps;
  const content: Roster = {
    format: 'hitmachine-roster-1',
    federation: policy.federation,
    version: before?.roster.version ?? 0,
    issuedAt: before?.roster.issuedAt ?? 0,
    gateway: publicKeys(keys),
    settings: policy.settings,
    purposes: [...policy.purposes],
    agencies: (await directory.agencies()).flatMap(onRoster),
  };
  if (before !== undefined && isDeepStrictEqual(content, before.roster)) return before;
  const roster = rosterSchema.parse({ ...content, version: content.version + 1, issuedAt: runtime.now() });
  const signer = { keyId: GATEWAY_KEY_ID, seed: keys.identitySeed.reveal() };
  const document = signDocument(keys.suite.backend, ROSTER_KIND, roster, signer);
  return { roster, document };
}

const store = ({ directory }: RosterDeps, { roster, document }: CurrentRoster): Promise<void> =>
  directory.saveRoster({ version: roster.version, document });

const digestOf = ({ document }: CurrentRoster): string =>
  encodeBase64(sha256(decodeBase64(document.payload)));

async function log({ auditLog, runtime }: RosterDeps, { before, after }: Unlogged): Promise<void> {
  await auditLog.append(runtime.now(), {
    event: 'roster',
    version: after.roster.version,
    digest: digestOf(after),
    changed: changesBetween(before, after.roster),
  });
}

async function isLogged({ search }: RosterDeps, stored: CurrentRoster): Promise<boolean> {
  const [latest] = await search.find({ events: ['roster'] }, undefined, 1);
  return latest?.entry.event === 'roster' && latest.entry.digest === digestOf(stored);
}

function onRoster({ id, name, kind, enrolment }: AgencyRecord): Roster['agencies'] {
  if (enrolment === undefined) return [];
  const { identityKey, sessionKey, registers } = enrolment;
  return [{ id, name, kind, identityKey: encodeBase64(identityKey), sessionKey, registers: [...registers] }];
}

type Change = Extract<LogEvent, { event: 'roster' }>['changed'][number];

/** What is other in a roster than in the one before; everything in the first. */
function changesBetween(before: Roster | undefined, after: Roster): Change[] {
  const parts: Readonly<Record<Change, (roster: Roster) => unknown>> = {
    'gateway-keys': ({ gateway }) => gateway,
    policy: ({ settings, purposes }) => [settings, purposes],
    agencies: ({ agencies }) => agencies.map(({ id, name, kind }) => [id, name, kind]),
    'agency-keys': ({ agencies }) =>
      agencies.map(({ id, identityKey, sessionKey }) => [id, identityKey, sessionKey]),
    registers: ({ agencies }) => agencies.map(({ id, registers }) => [id, registers]),
  };
  return (Object.keys(parts) as Change[]).filter(
    (part) => before === undefined || !isDeepStrictEqual(parts[part](before), parts[part](after)),
  );
}

import { isDeepStrictEqual } from 'node:util';
import type { Agency, Backend, Roster, SignedDocument } from '@hitmachine/protocol';
import {
  HitError,
  agencyFingerprint,
  decodeBase64,
  keysFingerprint,
  membersSchema,
  openRoster,
  parseJson,
  signedDocumentSchema,
  utf8ToBytes,
} from '@hitmachine/protocol';
import { InTurn } from '@hitmachine/service';
import type { Clock } from '../../ports/clock.ts';
import type { OperationalLog } from '../../ports/operational-log.ts';
import type { Membership, StateStore } from '../../ports/state-store.ts';
import type { AnnouncedKeys } from './announced-changes.ts';
import { AnnouncedChanges } from './announced-changes.ts';
import { budgetsFrom, budgetsText } from './budgets.ts';
import type { AgencyKeys } from '../keys.ts';

/** The name under which the gateway's evaluation key is pinned; no agency can be called so. */
const EVALUATION_KEY = '(gateway)';
/** The one before it, while nodes may be asked under it. */
const FORMER_EVALUATION_KEY = '(gateway before)';
/** The name under which the bits that questions may show are pinned. */
const BUDGETS = '(token types)';
/** The name under which the federation's second key is pinned, which lies offline. */
export const OFFLINE_KEY = '(offline key)';
/** The name under which it stands which version of the policy came last, and when. */
const NEW_POLICY = '(policy)';
/** How long status tells of a new policy. */
const TELL_POLICY_MS = 7 * 86_400_000;
/** What stands as the fingerprint of a register: that it was listed. */
const LISTED = 'listed';

/** What of a roster is other than it may be: the event, and what status tells. */
interface OlderPart {
  readonly event:
    'offline-key-changed' | 'policy-rolled-back' | 'policy-forked' | 'members-rolled-back' | 'members-forked';
  readonly told: string;
}

/**
 * The roster as this agency trusts it: signed by the pinned gateway, never older than one seen before, and with
 * the keys of each agency as they were first seen. A key that changes in silence is not used: who runs the gateway
 * could otherwise slip its own key in between two agencies. One that was announced with the pinned key is, from the
 * announced moment on.
 */
export class RosterKeeper {
  readonly #backend: Backend;
  readonly #state: StateStore;
  readonly #membership: Membership;
  readonly #log: OperationalLog;
  readonly #clock: Clock;
  readonly #keys: Pick<AgencyKeys, 'follow' | 'evaluationKey'> | undefined;
  /** Fingerprints of the evaluation keys that are pinned. */
  #evaluationPins: ReadonlySet<string> = new Set();
  readonly #announced: AnnouncedChanges;
  #roster: Roster;
  #changed: ReadonlySet<string> = new Set();
  #refused: string | undefined;
  #vanished: readonly string[] = [];
  #budgets: Readonly<Record<string, number>> = {};
  /** The version of the policy that came last, and when (milliseconds since 1970). */
  #newPolicy: { readonly version: number; readonly since: number } | undefined;
  /** What is compared with the roster that is held must be taken in before the next is compared. */
  readonly #turns = new InTurn();

  private constructor(
    backend: Backend,
    state: StateStore,
    membership: Membership,
    log: OperationalLog,
    clock: Clock,
    keys: Pick<AgencyKeys, 'follow' | 'evaluationKey'> | undefined,
    stored: string,
  ) {
    this.#keys = keys;
    this.#announced = new AnnouncedChanges({ backend, state, log, clock });
    this.#backend = backend;
    this.#state = state;
    this.#membership = membership;
    this.#log = log;
    this.#clock = clock;
    this.#roster = this.#open(parseJson(signedDocumentSchema, utf8ToBytes(stored)));
  }

  /** Opens the roster that was accepted last. `keys`: this agency's own, which follow what stands on it. */
  static async open(
    backend: Backend,
    state: StateStore,
    membership: Membership,
    log: OperationalLog,
    clock: Clock = Date.now,
    keys?: Pick<AgencyKeys, 'follow' | 'evaluationKey'>,
  ): Promise<RosterKeeper> {
    const stored = await state.roster();
    if (stored === undefined)
      throw new HitError('not-ready', 'there is no roster yet: run "hit-agent enrol" first');
    const keeper = new RosterKeeper(backend, state, membership, log, clock, keys, stored);
    await keeper.checkPins();
    return keeper;
  }

  #open(document: SignedDocument): Roster {
    return openRoster(this.#backend, document, this.#membership.gatewayKey);
  }

  get roster(): Roster {
    return this.#roster;
  }

  /** This agency's own entry. */
  get self(): Agency {
    const self = this.#roster.agencies.find(({ id }) => id === this.#membership.agency);
    if (self === undefined)
      throw new HitError('unknown-agency', 'this agency is not on the roster (any more)');
    return self;
  }

  /** Whether this agency is on the roster. */
  get isMember(): boolean {
    return this.#roster.agencies.some(({ id }) => id === this.#membership.agency);
  }

  /** Why the gateway's latest roster was left aside, if it was. */
  get refused(): string | undefined {
    return this.#refused;
  }

  /** Takes in a roster. Throws `signature-invalid`; an older one than is held, or another of its version, is left aside. */
  accept(document: SignedDocument): Promise<void> {
    return this.#turns.run(() => this.#accept(document));
  }

  async #accept(document: SignedDocument): Promise<void> {
    const roster = this.#open(document);
    if (roster.version < this.#roster.version) {
      this.#refused = `the gateway shows version ${roster.version} of the roster, and showed version ${this.#roster.version} before`;
      this.#log.warn({ event: 'roster-rolled-back', version: roster.version, held: this.#roster.version });
      return;
    }
    if (roster.version === this.#roster.version && JSON.stringify(roster) !== JSON.stringify(this.#roster)) {
      // Two different rosters of one version: the gateway tells its agencies different stories.
      this.#refused = `the gateway shows two different rosters of version ${roster.version}`;
      this.#log.error({ event: 'roster-forked', version: roster.version });
      return;
    }
    const older = await this.#olderPart(roster);
    if (older !== undefined) {
      this.#refused = older.told;
      this.#log.error({ event: older.event, version: roster.version });
      return;
    }
    this.#refused = undefined;
    await this.#state.setRoster(JSON.stringify(document));
    if (roster.policy.version > this.#roster.policy.version) await this.#tellNewPolicy(roster);
    this.#roster = roster;
    await this.#checkPins();
  }

  /** Whether what people decide is other than it may be: an older policy or list of members, or without the offline key. */
  async #olderPart(roster: Roster): Promise<OlderPart | undefined> {
    const pinned = (await this.#state.pins()).find(({ name }) => name === OFFLINE_KEY)?.fingerprint;
    const { offlineKey } = roster.gateway;
    if (pinned !== undefined && (offlineKey === undefined || keysFingerprint(offlineKey) !== pinned))
      return {
        event: 'offline-key-changed',
        told:
          offlineKey === undefined
            ? 'the gateway shows a roster without the offline key that the federation has'
            : 'the gateway shows a roster with another offline key than the one that was pinned; see "hit-agent trust offline"',
      } as const;
    const [policy, held] = [roster.policy.version, this.#roster.policy.version];
    if (policy < held)
      return {
        event: 'policy-rolled-back',
        told: `the gateway shows version ${policy} of the policy, and showed version ${held} before`,
      };
    // A policy that keeps its number would be taken without a word.
    if (policy === held && !isDeepStrictEqual(roster.policy, this.#roster.policy))
      return {
        event: 'policy-forked',
        told: `the gateway shows two different policies of version ${policy}`,
      };
    const [members, known] = [membersVersion(roster), membersVersion(this.#roster)];
    if (members !== undefined && known !== undefined && members < known)
      return {
        event: 'members-rolled-back',
        told: `the gateway shows version ${members} of the list of members, and showed version ${known} before`,
      };
    if (
      members !== undefined &&
      members === known &&
      roster.members?.payload !== this.#roster.members?.payload
    )
      return {
        event: 'members-forked',
        told: `the gateway shows two different lists of members of version ${members}`,
      };
    return undefined;
  }

  /** For status, for some days; kept where a restart finds it. */
  async #tellNewPolicy({ policy: { version } }: Roster): Promise<void> {
    this.#log.info({ event: 'policy-changed', version });
    await this.#state.setPin({ name: NEW_POLICY, fingerprint: `${version} ${this.#clock()}` });
  }

  /** A version of the policy that came into force of late, and when it was first seen here. */
  get newPolicy(): { readonly version: number; readonly since: number } | undefined {
    const told = this.#newPolicy;
    return told !== undefined && this.#clock() - told.since < TELL_POLICY_MS ? told : undefined;
  }

  /** Pins what is new, and notes what is not as it was pinned. */
  checkPins(): Promise<void> {
    return this.#turns.run(() => this.#checkPins());
  }

  async #checkPins(): Promise<void> {
    const pinned = await this.#state.pins();
    const pins = new Map(pinned.map(({ name, fingerprint }) => [name, fingerprint]));
    const [version = 0, since = 0] = (pins.get(NEW_POLICY) ?? '').split(' ').map(Number);
    this.#newPolicy = { version, since };
    const { offlineKey } = this.#roster.gateway;
    if (offlineKey !== undefined && !pins.has(OFFLINE_KEY)) {
      const fingerprint = keysFingerprint(offlineKey);
      await this.#state.setPin({ name: OFFLINE_KEY, fingerprint });
      this.#log.info({ event: 'pinned', name: OFFLINE_KEY, fingerprint });
    }
    const changed = new Set<string>();
    await this.#announced.follow(this.#roster, pins);
    for (const [name, fingerprint] of fingerprintsOf(this.#roster)) {
      const pinned = pins.get(name);
      if (pinned === undefined) {
        await this.#state.setPin({ name, fingerprint });
        this.#log.info({ event: 'pinned', name, fingerprint });
      } else if (pinned !== fingerprint) changed.add(name);
    }
    const known = [EVALUATION_KEY, FORMER_EVALUATION_KEY].map((name) => pins.get(name) ?? '');
    this.#evaluationPins = new Set(
      known[0] === '' ? [keysFingerprint(this.#roster.gateway.evaluationKey)] : known,
    );
    // One that comes after the pinned key waits for the proof that it does (`acceptEvaluationKeys`).
    if (this.formerEvaluationKey !== undefined && this.isTrustedEvaluationKey(this.formerEvaluationKey))
      changed.delete(EVALUATION_KEY);
    await this.#checkRegisters(pins);
    this.#budgets = budgetsFrom(pins.get(BUDGETS), this.#roster.policy.settings.tokenTypes);
    for (const name of changed)
      if (!this.#changed.has(name))
        this.#log.error({ event: name === BUDGETS ? 'budgets-changed' : 'key-changed', agency: name });
    this.#changed = changed;
    await this.#announced.pin(
      this.#roster.agencies.filter(({ id }) => !changed.has(id)),
      pins,
    );
    const self = this.#roster.agencies.find(({ id }) => id === this.#membership.agency);
    if (self !== undefined) this.#keys?.follow(self.identityKey);
  }

  /** The announcements of new keys that have not taken effect, or that nobody who is trusted made. */
  announcedKeys(): readonly AnnouncedKeys[] {
    return this.#announced.pending;
  }

  /**
   * The identity keys of an agency under which what it signed at a moment counts (milliseconds since 1970; now unless
   * told): the one on the roster, and around an announced change the other one.
   */
  identityKeysOf(agency: Agency, at = this.#clock()): readonly string[] {
    return this.#announced.identityKeysOf(this.#roster.federation, agency, at);
  }

  /** A register that was there and is gone may have been left out of the roster so that its hits stay unseen. */
  async #checkRegisters(pins: ReadonlyMap<string, string>): Promise<void> {
    const listed = new Set(
      this.#roster.agencies.flatMap(({ id, registers }) =>
        registers.map((register) => `${id}/${register.id}`),
      ),
    );
    for (const name of listed) if (!pins.has(name)) await this.#state.setPin({ name, fingerprint: LISTED });
    const vanished = [...pins.keys()].filter((name) => name.includes('/') && !listed.has(name)).sort();
    for (const name of vanished)
      if (!this.#vanished.includes(name)) this.#log.error({ event: 'register-vanished', register: name });
    this.#vanished = vanished;
  }

  /** Registers, as `agency/register`, that are no longer on the roster; until somebody says that this is right. */
  vanishedRegisters(): readonly string[] {
    return this.#vanished;
  }

  /**
   * Bits of a bucket number that questions by a token type may show: at most what was pinned. Who moves the budgets
   * from type to type between lookups would otherwise get all ten bits of each.
   */
  trustedBudgets(): Readonly<Record<string, number>> {
    return this.#budgets;
  }

  /** Whether the budgets are not the pinned ones. */
  get budgetsChanged(): boolean {
    return this.#changed.has(BUDGETS);
  }

  /** Names whose keys are not the pinned ones; `(gateway)` for the evaluation key. */
  changedKeys(): readonly string[] {
    return [...this.#changed].filter((name) => name !== BUDGETS).sort();
  }

  /** Whether an agency's keys are those that were pinned. */
  isTrusted(agency: string): boolean {
    return !this.#changed.has(agency);
  }

  /** The evaluation key before the one in force, as long as nodes may be asked under it. */
  get formerEvaluationKey(): string | undefined {
    return this.#roster.gateway.formerEvaluationKey;
  }

  /** Whether an evaluation key is pinned, or was shown to come before or after one that is. */
  isTrustedEvaluationKey(key: string): boolean {
    return this.#evaluationPins.has(keysFingerprint(key));
  }

  /** Pins both evaluation keys of the roster, of which one was pinned: the quotient of the two was checked. */
  acceptEvaluationKeys(): Promise<void> {
    return this.#turns.run(async () => {
      const { evaluationKey, formerEvaluationKey } = this.#roster.gateway;
      if (formerEvaluationKey === undefined) return;
      const [fingerprint, former] = [keysFingerprint(evaluationKey), keysFingerprint(formerEvaluationKey)];
      await this.#state.setPin({ name: FORMER_EVALUATION_KEY, fingerprint: former });
      await this.#state.setPin({ name: EVALUATION_KEY, fingerprint });
      this.#log.info({ event: 'pinned', name: EVALUATION_KEY, fingerprint });
      await this.#checkPins();
    });
  }

  /**
   * The gateway's evaluation key that this agency's pseudonyms are made with: the one in force, or while it changes the one
   * before. Throws `key-changed` when neither is pinned.
   */
  trustedEvaluationKey(): string {
    const { evaluationKey, formerEvaluationKey } = this.#roster.gateway;
    const candidates = [evaluationKey, formerEvaluationKey].filter(
      (key) => key !== undefined && this.isTrustedEvaluationKey(key),
    );
    const inUse = this.#keys?.evaluationKey;
    const trusted = candidates.find((key) => key === inUse) ?? candidates[0];
    if (trusted === undefined)
      throw new HitError('key-changed', 'the evaluation key of the gateway is not the one that was pinned');
    return trusted;
  }

  /** An evaluation key as requests name it: not at all as long as the gateway has its first. */
  namedEvaluationKey(key: string): string | undefined {
    return this.#roster.gateway.evaluationVersion === undefined ? undefined : key;
  }
}

/** The version of the list of members, which opening the roster has checked; undefined where there is no offline key. */
function membersVersion({ gateway, members }: Roster): number | undefined {
  if (gateway.offlineKey === undefined || members === undefined) return undefined;
  return parseJson(membersSchema, decodeBase64(members.payload)).version;
}

/** What is pinned of a roster: each agency's two keys, the gateway's evaluation key, and the budgets of token types. */
export function fingerprintsOf(roster: Roster): Map<string, string> {
  return new Map([
    [EVALUATION_KEY, keysFingerprint(roster.gateway.evaluationKey)],
    [BUDGETS, budgetsText(roster.policy.settings.tokenTypes)],
    ...roster.agencies.map((agency) => [agency.id, agencyFingerprint(agency)] as const),
  ]);
}

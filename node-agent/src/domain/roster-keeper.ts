import type { Agency, Backend, Roster, SignedDocument } from '@hitmachine/protocol';
import {
  HitError,
  agencyFingerprint,
  keysFingerprint,
  openRoster,
  parseJson,
  signedDocumentSchema,
  utf8ToBytes,
} from '@hitmachine/protocol';
import type { OperationalLog } from '../ports/operational-log.ts';
import type { Membership, StateStore } from '../ports/state-store.ts';

/** The name under which the gateway's evaluation key is pinned; no agency can be called so. */
const EVALUATION_KEY = '(gateway)';
/** The name under which the bits that questions may show are pinned. */
const BUDGETS = '(token types)';
/** What stands as the fingerprint of a register: that it was listed. */
const LISTED = 'listed';

/**
 * The roster as this agency trusts it: signed by the pinned gateway, never older than one seen before, and with
 * the keys of each agency as they were first seen. A key that changes in silence is not used: who runs the gateway
 * could otherwise slip its own key in between two agencies.
 */
export class RosterKeeper {
  readonly #backend: Backend;
  readonly #state: StateStore;
  readonly #membership: Membership;
  readonly #log: OperationalLog;
  #roster: Roster;
  #changed: ReadonlySet<string> = new Set();
  #refused: string | undefined;
  #vanished: readonly string[] = [];
  #budgets: Readonly<Record<string, number>> = {};

  constructor(backend: Backend, state: StateStore, membership: Membership, log: OperationalLog) {
    this.#backend = backend;
    this.#state = state;
    this.#membership = membership;
    this.#log = log;
    const stored = state.roster();
    if (stored === undefined)
      throw new HitError('not-ready', 'there is no roster yet: run "hit-agent enrol" first');
    this.#roster = this.#open(parseJson(signedDocumentSchema, utf8ToBytes(stored)));
    this.checkPins();
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
  accept(document: SignedDocument): void {
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
    this.#refused = undefined;
    this.#state.setRoster(JSON.stringify(document));
    this.#roster = roster;
    this.checkPins();
  }

  /** Pins what is new, and notes what is not as it was pinned. */
  checkPins(): void {
    const pins = new Map(this.#state.pins().map(({ name, fingerprint }) => [name, fingerprint]));
    const changed = new Set<string>();
    for (const [name, fingerprint] of fingerprintsOf(this.#roster)) {
      const pinned = pins.get(name);
      if (pinned === undefined) {
        this.#state.setPin({ name, fingerprint });
        this.#log.info({ event: 'pinned', name, fingerprint });
      } else if (pinned !== fingerprint) changed.add(name);
    }
    this.#checkRegisters(pins);
    this.#budgets = budgetsFrom(pins.get(BUDGETS), this.#roster.settings.tokenTypes);
    for (const name of changed)
      if (!this.#changed.has(name))
        this.#log.error({ event: name === BUDGETS ? 'budgets-changed' : 'key-changed', agency: name });
    this.#changed = changed;
  }

  /** A register that was there and is gone may have been left out of the roster so that its hits stay unseen. */
  #checkRegisters(pins: ReadonlyMap<string, string>): void {
    const listed = new Set(
      this.#roster.agencies.flatMap(({ id, registers }) =>
        registers.map((register) => `${id}/${register.id}`),
      ),
    );
    for (const name of listed) if (!pins.has(name)) this.#state.setPin({ name, fingerprint: LISTED });
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

  /** The gateway's evaluation key. Throws `key-changed` when it is not the pinned one. */
  trustedEvaluationKey(): string {
    if (this.#changed.has(EVALUATION_KEY))
      throw new HitError('key-changed', 'the evaluation key of the gateway is not the one that was pinned');
    return this.#roster.gateway.evaluationKey;
  }
}

/** Budgets as a person can read and compare them: `address=0 bsn=6`. */
function budgetsText(tokenTypes: Readonly<Record<string, number>>): string {
  return Object.keys(tokenTypes)
    .sort()
    .map((type) => `${type}=${tokenTypes[type] ?? 0}`)
    .join(' ');
}

/** For each type of now, the smaller of what was pinned and what the roster says. */
function budgetsFrom(
  pinned: string | undefined,
  now: Readonly<Record<string, number>>,
): Readonly<Record<string, number>> {
  if (pinned === undefined) return now;
  const before = new Map(pinned.split(' ').map((part) => part.split('=') as [string, string]));
  return Object.fromEntries(
    Object.entries(now).map(([type, bits]) => [type, Math.min(bits, Number(before.get(type) ?? 0))]),
  );
}

/** What is pinned of a roster: each agency's two keys, the gateway's evaluation key, and the budgets of token types. */
export function fingerprintsOf(roster: Roster): Map<string, string> {
  return new Map([
    [EVALUATION_KEY, keysFingerprint(roster.gateway.evaluationKey)],
    [BUDGETS, budgetsText(roster.settings.tokenTypes)],
    ...roster.agencies.map((agency) => [agency.id, agencyFingerprint(agency)] as const),
  ]);
}

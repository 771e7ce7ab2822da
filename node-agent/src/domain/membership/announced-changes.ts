import type { Agency, Backend, Roster } from '@hitmachine/protocol';
import { countsAt, isSignedKeyChange } from '@hitmachine/protocol';
import type { Clock } from '../../ports/clock.ts';
import type { OperationalLog } from '../../ports/operational-log.ts';
import type { StateStore } from '../../ports/state-store.ts';
import { fingerprintAfter, judgeKeyChange } from './key-changes.ts';

/** The name under which the identity key of an agency is pinned: what signs its next keys. */
const identityPin = (agency: string): string => `(identity) ${agency}`;
/** The name under which it is kept that an announcement of an agency was told of. */
const toldPin = (agency: string): string => `(announced) ${agency}`;
/** Announcements whose signatures are remembered: one an agency, of which most have none. */
const MAX_SIGNED = 1_000;

/** An announcement of new keys, as far as this agent goes by it. */
export interface AnnouncedKeys {
  readonly agency: string;
  /** Milliseconds since 1970. */
  readonly from: number;
  /** The fingerprint of the keys that it brings. */
  readonly fingerprint: string;
  /** Signed with the key that is pinned. */
  readonly valid: boolean;
}

interface ChangesDeps {
  readonly backend: Backend;
  readonly state: StateStore;
  readonly log: OperationalLog;
  readonly clock: Clock;
}

/**
 * The changes of keys that agencies announced on the roster: a pin moves by itself when the key that is pinned signed
 * that it should, and its moment has come. All else is left to whoever looks after the pins.
 */
export class AnnouncedChanges {
  readonly #deps: ChangesDeps;
  /** Keys by the text of an announcement: whether its signatures hold is asked often, and does not change. */
  readonly #signed = new Map<string, readonly string[]>();
  #pending: readonly AnnouncedKeys[] = [];

  constructor(deps: ChangesDeps) {
    this.#deps = deps;
  }

  /** Those that have not taken effect, or that nobody who is trusted made. */
  get pending(): readonly AnnouncedKeys[] {
    return this.#pending;
  }

  /** Moves the pins whose moment has come, in the store and in `pins`; tells what is new. */
  async follow({ federation, agencies }: Roster, pins: Map<string, string>): Promise<void> {
    const pending: AnnouncedKeys[] = [];
    for (const agency of agencies) pending.push(...(await this.#follow(federation, agency, pins)));
    this.#pending = pending;
  }

  /** Pins the identity keys of agencies whose keys are as they were pinned. */
  async pin(agencies: readonly Agency[], pins: ReadonlyMap<string, string>): Promise<void> {
    for (const { id, identityKey } of agencies)
      if (pins.get(identityPin(id)) !== identityKey)
        await this.#deps.state.setPin({ name: identityPin(id), fingerprint: identityKey });
  }

  /** The identity keys of an agency under which what it signed at a moment counts. */
  identityKeysOf(federation: string, agency: Agency, at: number): readonly string[] {
    const { id, identityKey, keyChange } = agency;
    if (keyChange === undefined) return [identityKey];
    const text = JSON.stringify([id, identityKey, keyChange]);
    let keys = this.#signed.get(text);
    if (keys === undefined) {
      const both = [keyChange.identityKey, keyChange.previousIdentityKey];
      const isSigned =
        both.includes(identityKey) &&
        isSignedKeyChange(this.#deps.backend, { federation, agency: id }, keyChange);
      keys = isSigned ? [identityKey, ...both.filter((key) => key !== identityKey)] : [identityKey];
      if (this.#signed.size >= MAX_SIGNED) this.#signed.clear();
      this.#signed.set(text, keys);
    }
    return keys.filter((key) => countsAt(agency, key, at));
  }

  async #follow(federation: string, agency: Agency, pins: Map<string, string>): Promise<AnnouncedKeys[]> {
    const { backend, state, log, clock } = this.#deps;
    const { id, keyChange } = agency;
    const fingerprint = pins.get(id);
    if (fingerprint === undefined || keyChange === undefined) return [];
    const pinned = { fingerprint, identityKey: pins.get(identityPin(id)) };
    const judged = judgeKeyChange(backend, federation, agency, pinned, clock());
    if (judged === 'none') return [];
    const next = fingerprintAfter(agency, keyChange);
    if (judged === 'due') {
      await state.setPin({ name: id, fingerprint: next });
      pins.set(id, next);
      log.warn({ event: 'key-change-followed', agency: id, fingerprint: next });
      return [];
    }
    const told = `${judged} ${keyChange.from} ${next}`;
    if (pins.get(toldPin(id)) !== told) {
      await state.setPin({ name: toldPin(id), fingerprint: told });
      const from = new Date(keyChange.from).toISOString();
      if (judged === 'announced')
        log.warn({ event: 'key-change-announced', agency: id, from, fingerprint: next });
      else log.error({ event: 'key-change-invalid', agency: id, from });
    }
    return [{ agency: id, from: keyChange.from, fingerprint: next, valid: judged === 'announced' }];
  }
}

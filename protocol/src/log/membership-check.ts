import { LIMITS } from '../wire/limits.ts';
import type { Agency, Register } from '../wire/agency.ts';
import type { KeyChange } from '../wire/key-change.ts';
import { KEY_CHANGE_GRACE_MS } from '../wire/key-change.ts';
import type { KnownKeys } from './agency-keys.ts';
import { isKnownBy } from './agency-keys.ts';
import { duration } from './duration.ts';
import { sortedJson } from './entry-check.ts';
import { keysText, registersText } from './roster-check.ts';

/** A key of an agency, and the entry with which it went out of use. */
interface Key {
  /** A roster gave it to the agency: until then nothing counts that is signed with it. */
  onRoster: boolean;
  ended?: { readonly at: number; readonly how: string };
}

/** What the log has said of an agency so far. */
interface Member {
  /** By the key in base64url, oldest first. */
  readonly keys: Map<string, Key>;
  /** As the last roster had it; undefined when it was not on it. */
  onRoster: Agency | undefined;
  /** Its keys on the last roster that had it, as {@link keysText}. */
  lastKeys: string | undefined;
  /** Invitations that no agency has come on a roster with: each has a token, and each token is for one key. */
  invitations: number;
  /** Was taken to be invited before this log began. */
  invitedBefore: boolean;
  /** Invited and enrolled again with the key that it has, and no roster has shown a change since. */
  enrolledAgain: boolean;
  /** Taken off, and not enrolled again since. */
  removed: boolean;
  /** Registers that it announced and no roster has shown yet. */
  announced: string[];
  /** The changes of its keys that it announced. */
  readonly changes: KeyChange[];
}

/** Where an entry stands, and when it was made, in milliseconds since 1970. */
export interface EntryPlace {
  readonly index: number;
  readonly at: number;
}

export interface MembershipOptions {
  /** The keys that agencies are known by: others are a problem. */
  readonly knownKeys: KnownKeys | undefined;
  /** Hears what is no fault, and of which an agency should be asked. */
  readonly tell: (notice: { readonly index: number; readonly reason: string }) => void;
}

/** How long an invitation can be used, in milliseconds. */
const INVITATION_MS = 7 * 86_400_000;

/**
 * Which agencies take part and with which keys, as it follows from the entries of a log: an agency is invited, enrols
 * with a key that it shows to hold, gets on a roster with it, changes its own registers, and is taken off; the rosters
 * may say nothing else.
 *
 * Entries of one moment may stand in the log in another order than the one in which they took effect. So what a key
 * signed shortly before it went out of use still counts; and two enrolments may come with one token, of which a roster
 * shows one.
 */
export class MembershipCheck {
  readonly #options: MembershipOptions;
  readonly #members = new Map<string, Member>();
  /** Until when an agency may enrol with a token from before this log. */
  #invitedBeforeUntil = Number.NEGATIVE_INFINITY;

  constructor(options: MembershipOptions) {
    this.#options = options;
  }

  /** The log goes on from one without proofs, and begins at a moment. */
  continuesAnother(at: number): void {
    this.#invitedBeforeUntil = at + INVITATION_MS;
  }

  invited(agency: string): void {
    this.#member(agency).invitations++;
  }

  /** Takes an enrolment; gives what is wrong with it, and whether it is a new one rather than one that came twice. */
  enrolled(
    agency: string,
    key: string,
    { at, index }: EntryPlace,
  ): { readonly problem?: string; readonly anew: boolean } {
    const member = this.#member(agency);
    const state = member.keys.get(key);
    if (member.invitations === 0 && at <= this.#invitedBeforeUntil && !member.invitedBefore) {
      member.invitedBefore = true;
      member.invitations++;
      this.#tell(index, `${agency} enrolled with an invitation from before this log, if with any`);
    }
    if (member.invitations === 0) {
      if (state !== undefined && state.ended === undefined) return { anew: false };
      if (state === undefined) member.keys.set(key, { onRoster: false });
      return { problem: `${agency} was not invited to enrol: no invitation of it is left`, anew: false };
    }
    if (state?.onRoster === true && member.onRoster?.identityKey === key) {
      // No new roster need follow: for it nothing may have changed.
      member.invitations--;
      delete state.ended;
      member.enrolledAgain = true;
    } else {
      member.keys.delete(key);
      member.keys.set(key, { onRoster: false });
    }
    return { anew: true };
  }

  announced(agency: string, registers: string): void {
    this.#member(agency).announced.push(registers);
  }

  /** Registers that the agency announced and no roster has shown yet. */
  announcedBy(agency: string): readonly (readonly Register[])[] {
    return (this.#members.get(agency)?.announced ?? []).map((text) => JSON.parse(text) as Register[]);
  }

  /**
   * Takes an announcement of new keys whose signatures hold; gives what is wrong with it all the same. `overlapMs`: how
   * long before they are used new keys have to be announced.
   */
  keysAnnounced(
    agency: string,
    change: KeyChange,
    { at }: EntryPlace,
    overlapMs: number,
  ): string | undefined {
    const { changes, onRoster } = this.#member(agency);
    if (onRoster !== undefined && onRoster.identityKey !== change.previousIdentityKey)
      return `it announces new keys of ${agency} in the place of a key that ${agency} does not have`;
    if (changes.some((one) => one.from > at && sortedJson(one) !== sortedJson(change)))
      return `it announces new keys of ${agency} while another announcement is pending`;
    changes.push(change);
    if (change.from >= at + overlapMs - LIMITS.clockSkewMs) return undefined;
    return `it announces new keys of ${agency} for ${duration(change.from - at)} later, and the policy wants ${duration(overlapMs)}`;
  }

  removed(agency: string, { at, index }: EntryPlace): void {
    const member = this.#member(agency);
    member.removed = true;
    member.enrolledAgain = false;
    endKeys(member, { at, how: `${agency} was taken off at entry ${index}` });
  }

  /** Takes over a roster; gives what in it follows from no entry. `trusted`: for agencies from before this log. */
  roster(agencies: readonly Agency[], place: EntryPlace, trusted: boolean): string[] {
    const problems: string[] = [];
    for (const agency of agencies) {
      const member = this.#member(agency.id);
      if (trusted && member.keys.size === 0) member.keys.set(agency.identityKey, { onRoster: true });
      problems.push(...this.#takeOver(member, agency, place));
    }
    const listed = new Set(agencies.map(({ id }) => id));
    for (const [id, member] of this.#members)
      if (member.onRoster !== undefined && !listed.has(id)) {
        if (!member.removed)
          problems.push(`${id} is no longer on it, and no entry says that it was taken off`);
        member.onRoster = undefined;
      }
    return problems;
  }

  /** Why what an agency signed with this key at a moment (milliseconds since 1970) does not count; undefined when it does. */
  objection(agency: string, key: string, signedAt: number): string | undefined {
    const member = this.#members.get(agency);
    const state = member?.keys.get(key);
    const isAnnounced = member?.changes.some(
      ({ identityKey, from }) => identityKey === key && signedAt >= from - LIMITS.clockSkewMs,
    );
    // From the announced moment on, whenever the roster came that shows it.
    if (state === undefined && isAnnounced === true) return undefined;
    if (state === undefined) return `${agency} enrolled with the key that signed this only later`;
    if (isOver(state, signedAt))
      return `it is signed with a key that no longer counted: ${state.ended?.how ?? ''}`;
    return state.onRoster ? undefined : `it is signed with a key that no roster had given ${agency} yet`;
  }

  /** Whether the log knows any key of this agency. */
  knows(agency: string): boolean {
    return (this.#members.get(agency)?.keys.size ?? 0) > 0;
  }

  /** The keys that went out of use, and why. */
  get formerKeys(): readonly { readonly agency: string; readonly key: string; readonly how: string }[] {
    return [...this.#members].flatMap(([agency, { keys }]) =>
      [...keys].flatMap(([key, { ended }]) => (ended === undefined ? [] : [{ agency, key, how: ended.how }])),
    );
  }

  /** Takes over a change of keys that the agency announced; gives what is wrong with it, or with what is announced. */
  #changeKeys(member: Member, agency: Agency, { at, index }: EntryPlace): string[] {
    const { id, identityKey, sessionKey, keyChange } = agency;
    const { onRoster, changes, keys } = member;
    const untold =
      keyChange !== undefined && !changes.some((one) => sortedJson(one) === sortedJson(keyChange))
        ? [`it shows an announcement of new keys of ${id} that ${id} did not make`]
        : [];
    const change = changes.find(
      (one) => one.previousIdentityKey === onRoster?.identityKey && keysText(one) === keysText(agency),
    );
    if (change === undefined || onRoster === undefined) return untold;
    const before = keys.get(change.previousIdentityKey);
    if (before !== undefined)
      before.ended ??= {
        at: Math.max(at, change.from) + KEY_CHANGE_GRACE_MS,
        how: `${id} changed its keys at entry ${index}, as it had announced`,
      };
    if (!keys.has(identityKey)) keys.set(identityKey, { onRoster: true });
    member.onRoster = { ...onRoster, identityKey, sessionKey };
    member.lastKeys = keysText(agency);
    this.#tell(index, `${id} changed its keys, as it had announced`);
    if (at >= change.from - LIMITS.clockSkewMs) return untold;
    return [
      ...untold,
      `it gives ${id} its new keys ${duration(change.from - at)} before the announced moment`,
    ];
  }

  #takeOver(member: Member, agency: Agency, place: EntryPlace): string[] {
    const { at, index } = place;
    const { id, identityKey } = agency;
    const keys = keysText(agency);
    const ofKeys = this.#changeKeys(member, agency, place);
    const before = member.onRoster;
    const wrong = unfounded(member, agency, at);
    const isKnown = keys === member.lastKeys ? undefined : isKnownBy(this.#options.knownKeys, agency);
    if (member.lastKeys !== undefined && keys !== member.lastKeys && isKnown === undefined)
      this.#tell(index, `${id} got another key: ask ${id} whether that was so`);
    for (const [key, state] of member.keys)
      if (state.onRoster && key !== identityKey)
        state.ended ??= { at, how: `${id} has another key since entry ${index}` };
    const announced = member.announced.indexOf(registersText(agency));
    // A roster may have been made before the enrolment took effect: the next one shows that.
    if (before !== undefined && changed(before, agency) && (keys !== keysText(before) || announced < 0))
      member.enrolledAgain = false;
    if (before === undefined || changed(before, agency)) member.announced.splice(0, announced + 1);
    member.onRoster = agency;
    member.lastKeys = keys;
    return [
      ...ofKeys,
      ...(wrong === undefined ? [] : [wrong]),
      ...(isKnown === false ? [`it gives ${id} other keys than those that ${id} is known by`] : []),
    ];
  }

  #tell(index: number, reason: string): void {
    this.#options.tell({ index, reason });
  }

  #member(agency: string): Member {
    const known = this.#members.get(agency);
    if (known !== undefined) return known;
    const member = {
      keys: new Map<string, Key>(),
      onRoster: undefined,
      lastKeys: undefined,
      invitations: 0,
      invitedBefore: false,
      enrolledAgain: false,
      removed: false,
      announced: [],
      changes: [],
    };
    this.#members.set(agency, member);
    return member;
  }
}

function endKeys(member: Member, ended: { readonly at: number; readonly how: string }): void {
  for (const state of member.keys.values()) state.ended ??= ended;
}

const changed = (before: Agency, after: Agency): boolean =>
  keysText(before) !== keysText(after) || registersText(before) !== registersText(after);

/** What a roster of a moment says of an agency without its word. A key that is new on it uses up an invitation. */
function unfounded(member: Member, agency: Agency, at: number): string | undefined {
  const { id, identityKey } = agency;
  const { onRoster } = member;
  const key = member.keys.get(identityKey);
  if (key === undefined) return `it gives ${id} a key with which ${id} never enrolled`;
  if (isOver(key, at)) return `it gives ${id} a key that no longer counted: ${key.ended?.how ?? ''}`;
  if (!key.onRoster) {
    if (member.invitations === 0) return `it gives ${id} a key for which ${id} was not invited`;
    member.invitations--;
    member.removed = false;
    key.onRoster = true;
    return undefined;
  }
  if (member.enrolledAgain || onRoster === undefined) return undefined;
  if (keysText(onRoster) !== keysText(agency))
    return `it has other keys of ${id} than the roster before, and ${id} did not enrol again`;
  if (registersText(onRoster) !== registersText(agency) && !member.announced.includes(registersText(agency)))
    return `it has other registers of ${id} than the roster before, and ${id} did not announce them`;
  return undefined;
}

/** Whether a key had gone out of use before a moment, by more than two clocks may be apart. */
const isOver = ({ ended }: Key, at: number): boolean =>
  ended !== undefined && at > ended.at + LIMITS.clockSkewMs;

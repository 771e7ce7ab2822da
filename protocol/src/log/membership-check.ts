import { LIMITS } from '../wire/limits.ts';
import type { Agency } from '../wire/roster.ts';
import { keysText, registersText } from './roster-check.ts';

/** A key of an agency, and the entry with which it went out of use. */
interface Key {
  ended?: { readonly at: number; readonly how: string };
}

/** What the log has said of an agency so far. */
interface Member {
  /** By the key in base64url, oldest first. */
  readonly keys: Map<string, Key>;
  /** As the last roster had it; undefined when it was not on it. */
  onRoster: Agency | undefined;
  /** Enrolled, and no roster has shown it since. */
  enrolled: boolean;
  /** Taken off, and not enrolled again since. */
  removed: boolean;
  /** Registers that it announced and no roster has shown yet. */
  announced: string[];
}

/**
 * Which agencies take part and with which keys, as it follows from the entries of a log: an agency enrols with a key
 * that it shows to hold, changes its own registers, and is taken off; the rosters may say nothing else.
 *
 * Entries of one moment may stand in the log in another order than the one in which they took effect, so that what a
 * key signed shortly before it went out of use still counts.
 */
export class MembershipCheck {
  readonly #members = new Map<string, Member>();

  enrolled(agency: string, key: string): void {
    const member = this.#member(agency);
    member.keys.delete(key);
    member.keys.set(key, {});
    member.enrolled = true;
    member.removed = false;
  }

  announced(agency: string, registers: string): void {
    this.#member(agency).announced.push(registers);
  }

  removed(agency: string, at: number, index: number): void {
    const member = this.#member(agency);
    member.removed = true;
    member.enrolled = false;
    endKeys(member, { at, how: `${agency} was taken off at entry ${index}` });
  }

  /** Takes over a roster; gives what in it follows from no entry. `trusted`: for agencies from before this log. */
  roster(agencies: readonly Agency[], at: number, index: number, trusted: boolean): string[] {
    const problems: string[] = [];
    for (const agency of agencies) {
      const member = this.#member(agency.id);
      if (trusted && member.keys.size === 0) this.enrolled(agency.id, agency.identityKey);
      problems.push(...unfounded(member, agency, at));
      for (const [key, state] of member.keys)
        if (key !== agency.identityKey)
          state.ended ??= { at, how: `${agency.id} has another key since entry ${index}` };
      if (member.onRoster === undefined || changed(member.onRoster, agency)) {
        member.enrolled = false;
        member.announced.splice(0, member.announced.indexOf(registersText(agency)) + 1);
      }
      member.onRoster = agency;
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

  /** Whether the agency could sign with this key at a moment (milliseconds since 1970); a sentence when not. */
  objection(agency: string, key: string, signedAt: number): string | undefined {
    const state = this.#members.get(agency)?.keys.get(key);
    if (state === undefined) return `${agency} enrolled with the key that signed this only later`;
    if (!isOver(state, signedAt)) return undefined;
    return `it is signed with a key that no longer counted: ${state.ended?.how ?? ''}`;
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

  #member(agency: string): Member {
    const known = this.#members.get(agency);
    if (known !== undefined) return known;
    const member = {
      keys: new Map<string, Key>(),
      onRoster: undefined,
      enrolled: false,
      removed: false,
      announced: [],
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

/** What a roster of a moment says of an agency without its word. */
function unfounded(member: Member, agency: Agency, at: number): string[] {
  const { id, identityKey } = agency;
  const { onRoster } = member;
  const key = member.keys.get(identityKey);
  if (key === undefined) return [`it gives ${id} a key with which ${id} never enrolled`];
  if (isOver(key, at)) return [`it gives ${id} a key that no longer counted: ${key.ended?.how ?? ''}`];
  if (member.enrolled || onRoster === undefined) return [];
  if (keysText(onRoster) !== keysText(agency))
    return [`it has other keys of ${id} than the roster before, and ${id} did not enrol again`];
  if (registersText(onRoster) !== registersText(agency) && !member.announced.includes(registersText(agency)))
    return [`it has other registers of ${id} than the roster before, and ${id} did not announce them`];
  return [];
}

/** Whether a key had gone out of use before a moment, by more than two clocks may be apart. */
const isOver = ({ ended }: Key, at: number): boolean =>
  ended !== undefined && at > ended.at + LIMITS.clockSkewMs;

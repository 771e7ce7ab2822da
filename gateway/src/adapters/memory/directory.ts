import type { Register } from '@hitmachine/protocol';
import { HitError, constantTimeEqual } from '@hitmachine/protocol';
import { InTurn } from '@hitmachine/service';
import { newerMembers, otherOfflineKey } from '../directory-refusals.ts';
import type {
  AgencyRecord,
  Directory,
  Enrolment,
  HeldKeys,
  Invitation,
  KeyChangeOf,
  QuotientGiven,
  StoredDocument,
  StoredRoster,
} from '../../ports/directory.ts';

/** The directory in memory, for tests and try-outs. */
export class MemoryDirectory implements Directory {
  readonly #inTurn = new InTurn();
  readonly #agencies = new Map<string, AgencyRecord>();
  readonly #rosters: StoredRoster[] = [];
  #policy: StoredDocument | undefined;
  #members: StoredDocument | undefined;
  #offlineKey: string | undefined;
  #evaluationKey: string | undefined;
  #quotients: { readonly key: string; readonly given: Map<string, QuotientGiven> } = {
    key: '',
    given: new Map(),
  };
  readonly #held = new Map<string, Omit<HeldKeys, 'agoMs'> & { readonly at: number }>();

  async invite(invitation: Invitation): Promise<void> {
    const enrolment = this.#agencies.get(invitation.id)?.enrolment;
    this.#agencies.set(invitation.id, { ...invitation, tokenUsedBy: undefined, enrolment });
  }

  async agencies(): Promise<readonly AgencyRecord[]> {
    return [...this.#agencies.values()].sort((a, b) => (a.id < b.id ? -1 : 1));
  }

  async agency(id: string): Promise<AgencyRecord | undefined> {
    return this.#agencies.get(id);
  }

  async remove(id: string): Promise<void> {
    this.#agencies.delete(id);
  }

  async enrol(id: string, tokenHash: Uint8Array, enrolment: Enrolment): Promise<boolean> {
    const agency = this.#agencies.get(id);
    if (
      agency === undefined ||
      agency.tokenUsedBy !== undefined ||
      !constantTimeEqual(agency.tokenHash, tokenHash)
    )
      return false;
    this.#agencies.set(id, { ...agency, tokenUsedBy: enrolment.identityKey, enrolment });
    return true;
  }

  async setRegisters(id: string, registers: readonly Register[]): Promise<void> {
    const agency = this.#agencies.get(id);
    if (agency?.enrolment === undefined) return;
    this.#agencies.set(id, { ...agency, enrolment: { ...agency.enrolment, registers } });
  }

  async announceKeys(id: string, before: Enrolment, after: KeyChangeOf): Promise<boolean> {
    const agency = this.#agencies.get(id);
    if (agency?.enrolment === undefined) return false;
    const { identityKey, keyChange } = agency.enrolment;
    if (!constantTimeEqual(identityKey, before.identityKey) || keyChange !== before.keyChange) return false;
    this.#agencies.set(id, { ...agency, enrolment: { ...agency.enrolment, ...after } });
    return true;
  }

  async latestRoster(): Promise<StoredRoster | undefined> {
    return this.#rosters.at(-1);
  }

  async roster(version: number): Promise<StoredRoster | undefined> {
    return this.#rosters[version - 1];
  }

  async saveRoster(roster: StoredRoster): Promise<void> {
    if (roster.version !== this.#rosters.length + 1)
      throw new HitError('already-exists', 'another process has made a newer roster');
    this.#rosters.push(roster);
  }

  async latestPolicy(): Promise<StoredDocument | undefined> {
    return this.#policy;
  }

  async savePolicy(policy: StoredDocument): Promise<void> {
    if (policy.version <= (this.#policy?.version ?? 0))
      throw new HitError('already-exists', 'another process has published a newer policy');
    this.#policy = policy;
  }

  async latestMembers(): Promise<StoredDocument | undefined> {
    return this.#members;
  }

  async saveMembers(members: StoredDocument): Promise<void> {
    if (members.version <= (this.#members?.version ?? 0)) throw newerMembers();
    this.#members = members;
  }

  async offlineKey(): Promise<string | undefined> {
    return this.#offlineKey;
  }

  async evaluationKey(): Promise<string | undefined> {
    return this.#evaluationKey;
  }

  async useEvaluationKey(publicKey: string): Promise<void> {
    this.#evaluationKey = publicKey;
  }

  async tellHeldKeys(held: Omit<HeldKeys, 'agoMs'>): Promise<void> {
    this.#held.set(held.replica, { ...held, at: performance.now() });
  }

  async forgetHeldKeys(replica: string): Promise<void> {
    this.#held.delete(replica);
  }

  async heldKeys(): Promise<readonly HeldKeys[]> {
    return [...this.#held.values()]
      .sort((a, b) => (a.replica < b.replica ? -1 : 1))
      .map(({ at, ...held }) => ({ ...held, agoMs: performance.now() - at }));
  }

  async noteQuotient({
    agency,
    evaluationKey,
    at,
  }: Parameters<Directory['noteQuotient']>[0]): Promise<number> {
    if (this.#quotients.key !== evaluationKey) this.#quotients = { key: evaluationKey, given: new Map() };
    const before = this.#quotients.given.get(agency);
    const times = (before?.times ?? 0) + 1;
    this.#quotients.given.set(agency, { agency, firstAt: before?.firstAt ?? at, lastAt: at, times });
    return times;
  }

  async quotientsGiven(evaluationKey: string): Promise<readonly QuotientGiven[]> {
    if (this.#quotients.key !== evaluationKey) return [];
    return [...this.#quotients.given.values()].sort((a, b) => (a.agency < b.agency ? -1 : 1));
  }

  async useOfflineKey(publicKey: string): Promise<void> {
    if (this.#offlineKey !== undefined && this.#offlineKey !== publicKey) throw otherOfflineKey();
    this.#offlineKey = publicKey;
  }

  /** One gateway serves this memory, and it makes one roster at a time. */
  exclusively<T>(work: () => Promise<T>): Promise<T> {
    return this.#inTurn.run(work);
  }
}

import type { Backend } from '../backend/backend.ts';
import { encodeBase64 } from '../bytes.ts';
import { HitError } from '../errors.ts';
import { REQUEST_LIFETIME } from '../wire/http-signature.ts';
import { LIMITS } from '../wire/limits.ts';
import type { LookupTerms } from '../policy/decide.ts';
import { checkLookup } from '../policy/decide.ts';
import type { Register } from '../wire/agency.ts';
import { checkKeyChange } from '../wire/key-change.ts';
import type { Roster } from '../wire/roster.ts';
import type { SignedDocument } from '../wire/signed-document.ts';
import type { KnownKeys } from './agency-keys.ts';
import { BreakGlassCheck } from './break-glass-check.ts';
import { CommitmentCheck } from './commitment-check.ts';
import { DocumentsCheck } from './documents-check.ts';
import { duration } from './duration.ts';
import type { LogEventName } from './entry.ts';
import type { EntryFacts, LookupFacts, RequestFacts, SaidEntry } from './entry-check.ts';
import { IdSet } from './id-set.ts';
import { MembershipCheck } from './membership-check.ts';
import type { RosterEntry } from './roster-check.ts';
import { evaluationKeyFault, rosterOf, untoldChange } from './roster-check.ts';
import { RostersInForce } from './rosters-in-force.ts';

/** One thing that is not right with an entry. */
export interface LogProblem {
  readonly index: number;
  /** In plain words, with the entry as the subject. */
  readonly reason: string;
}

/** Something that an auditor should know and that is no fault. */
export type LogNotice = LogProblem;

export interface LogCheckOptions {
  readonly backend: Backend;
  readonly federation: string;
  /** The key that signs the log and its rosters. */
  readonly publicKey: Uint8Array;
  /** The signed document of a version of the roster, if there is one. */
  readonly roster: (version: number) => SignedDocument | undefined;
  /** The keys that agencies are known by, as somebody who asked them says: others are a problem. */
  readonly knownKeys?: KnownKeys | undefined;
}

/** Time that a gateway may take between checking a request and logging it. */
const PROCESSING_MS = 60_000;
/** A node may be put a question twice within a lookup. */
const ANSWERS_PER_NODE = 2;
/** A lookup whose answers may still come is kept for a day of the log: far longer than any lookup lives. */
const LOOKUP_KEPT_MS = 86_400_000;

interface UsedNonce {
  readonly index: number;
  readonly event: LogEventName;
  /** Milliseconds since 1970; a request with it that comes later is refused for its age. */
  readonly until: number;
}

interface OpenLookup extends Pick<LookupFacts, 'nodes' | 'requestDigest'> {
  readonly agency: string;
  readonly at: number;
  readonly answers: Map<string, number>;
}

/**
 * Checks what the entries of a log are to each other, from the first on: a pure state machine that is fed with one
 * entry after another. Holds what is needed to judge the entries to come, not the entries.
 */
export class LogCheck {
  readonly membership: MembershipCheck;
  readonly notices: LogNotice[] = [];
  readonly #options: LogCheckOptions;
  readonly #nonces = new Map<string, UsedNonce>();
  readonly #lookups = new Map<string, OpenLookup>();
  readonly #lookupIds = new IdSet();
  readonly #commitments: CommitmentCheck;
  readonly #documents = new DocumentsCheck();
  readonly #breakGlass = new BreakGlassCheck();
  readonly #inForce = new RostersInForce(PROCESSING_MS);
  #size = 0;
  #lastAt = 0;
  /** The log goes on from one without proofs, in which agencies enrolled. */
  #continues = false;
  #roster: Roster | undefined;
  #lastRoster: RosterEntry | undefined;

  constructor(options: LogCheckOptions) {
    this.#options = options;
    const tell = (notice: LogNotice): void => void this.notices.push(notice);
    this.membership = new MembershipCheck({ knownKeys: options.knownKeys, tell });
    this.#commitments = new CommitmentCheck(tell);
  }

  /** The newest roster whose document was found to be right. */
  get roster(): Roster | undefined {
    return this.#roster;
  }

  /** Time of the last entry, milliseconds since 1970. */
  get lastAt(): number {
    return this.#lastAt;
  }

  /** Takes the next entry; gives what is found to be wrong with it. */
  add({ said, problem, ...facts }: EntryFacts): LogProblem[] {
    const index = this.#size++;
    const reasons: string[] = problem === undefined ? [] : [problem];
    if (said === undefined) return reasons.map((reason) => ({ index, reason }));
    if ((said.event === 'log-opened') !== (index === 0))
      reasons.push(index === 0 ? 'a log begins with the entry "log-opened"' : 'a log is opened only once');
    if (said.at < this.#lastAt)
      reasons.push(`its time is ${duration(this.#lastAt - said.at)} before that of the entry before it`);
    this.#lastAt = Math.max(this.#lastAt, said.at);
    this.#forget();
    if (said.event === 'enrolment') reasons.push(...this.#enrol(index, said, facts.request));
    if (facts.request !== undefined && 'agency' in said)
      reasons.push(...this.#checkRequest(index, said, facts.request));
    reasons.push(...this.#checkEvent(index, said, facts));
    return reasons.map((reason) => ({ index, reason }));
  }

  /** Passes over entries that cannot be had; what is found with later ones may follow from that. */
  skip(entries: number): void {
    this.#size += entries;
  }

  #enrol(
    index: number,
    { agency, identityKey, at }: Extract<SaidEntry, { event: 'enrolment' }>,
    request?: RequestFacts,
  ): string[] {
    // Nothing comes of an enrolment that the holder of the key did not sign.
    if (request?.signedWith !== identityKey) return [];
    const { problem, anew } = this.membership.enrolled(agency, identityKey, { index, at });
    if (anew) this.#commitments.beginsAnew(agency);
    return listed(problem);
  }

  #checkEvent(index: number, said: SaidEntry, facts: Omit<EntryFacts, 'said' | 'problem'>): string[] {
    const { federation, publicKey } = this.#options;
    switch (said.event) {
      case 'log-opened':
        this.#continues = index === 0 && said.before !== undefined;
        if (this.#continues) this.membership.continuesAnother(said.at);
        if (said.federation !== federation)
          return [`it opens the log of another federation, ${said.federation}`];
        return said.identityKey === encodeBase64(publicKey) ? [] : ['it names another key of the gateway'];
      case 'roster':
        return this.#checkRoster(index, said);
      case 'policy':
      case 'members':
        return this.#documents.publish(said);
      case 'agency-invited':
        this.membership.invited(said.agency);
        return [];
      case 'agency-removed':
        this.membership.removed(said.agency, { index, at: said.at });
        return [];
      case 'registers':
        if (facts.registers !== undefined && isSigned(facts))
          this.membership.announced(said.agency, facts.registers);
        return [];
      case 'key-change':
        return facts.keyChange === undefined ? [] : this.#checkKeyChange(index, said, facts);
      case 'tables':
        if (facts.commitment === undefined || !isSigned(facts)) return [];
        return this.#commitments.add({ index, ...said }, facts.commitment, this.#registersOf(said.agency));
      case 'evaluation':
        return this.#checkEvaluation(said);
      case 'lookup':
      case 'canary':
        if (facts.lookup === undefined) return [];
        this.#breakGlass.opened(index, said, facts.lookup);
        return this.#openLookup(said, facts.lookup);
      case 'review':
        if (facts.review === undefined || !isSigned(facts)) return [];
        return listed(this.#breakGlass.reviewed(said.agency, facts.review));
      case 'answer':
        return this.#checkAnswer(said);
      default:
        return [];
    }
  }

  /** Whether an agency announced new keys with the one that it has, and with the new one. */
  #checkKeyChange(
    index: number,
    { agency, at }: Extract<SaidEntry, { event: 'key-change' }>,
    { keyChange, request }: Pick<EntryFacts, 'keyChange' | 'request'>,
  ): string[] {
    const { backend, federation } = this.#options;
    if (keyChange === undefined || request?.signedWith === undefined) return [];
    if (request.signedWith !== keyChange.previousIdentityKey)
      return [`it is signed with another key of ${agency} than the one that is to be replaced`];
    try {
      checkKeyChange(backend, { federation, agency }, keyChange);
    } catch (error) {
      if (!(error instanceof HitError)) throw error;
      return [error.detail];
    }
    const days = this.#inForce.at(this.#lastAt).map(({ roster }) => roster?.policy.keyOverlapDays ?? 0);
    const overlapMs = (days.length === 0 ? 0 : Math.min(...days)) * 86_400_000;
    const problem = this.membership.keysAnnounced(agency, keyChange, { index, at }, overlapMs);
    return problem === undefined ? [] : [problem];
  }

  #checkRequest(
    index: number,
    { agency, at, event }: { agency: string; at: number; event: LogEventName },
    { created, expires, nonce, signedWith }: RequestFacts,
  ): string[] {
    const reasons: string[] = [];
    const { clockSkewMs } = LIMITS;
    const signedAt = created * 1000;
    if (signedAt > at + clockSkewMs)
      reasons.push(
        `it is back-dated: ${agency} signed it ${duration(signedAt - at)} after the time of the entry`,
      );
    if (expires - created > REQUEST_LIFETIME || at > expires * 1000 + clockSkewMs + PROCESSING_MS)
      reasons.push(
        `it was held back or used again: ${agency} signed it ${duration(at - signedAt)} before the time of the entry`,
      );
    // Of agencies that enrolled before this log began, the first roster says the keys.
    const unknown = this.#continues && this.#lastRoster === undefined && !this.membership.knows(agency);
    if (signedWith !== undefined && !unknown && event !== 'enrolment') {
      const objection = this.membership.objection(agency, signedWith, signedAt);
      if (objection !== undefined) reasons.push(objection);
    }
    const name = `${agency} ${nonce}`;
    const used = this.#nonces.get(name);
    if (used !== undefined && !mayFollow(used.event, event))
      reasons.push(`it is a duplicate: the request of ${agency} in it stands in entry ${used.index} already`);
    const until = Math.max(at, expires * 1000) + clockSkewMs + PROCESSING_MS;
    this.#nonces.set(name, { index: used?.index ?? index, event, until });
    return reasons;
  }

  #checkEvaluation({ agency, register }: Extract<SaidEntry, { event: 'evaluation' }>): string[] {
    const states = this.#registersOf(agency);
    if (states === undefined || states.some((registers) => registers.some(({ id }) => id === register)))
      return [];
    return [`it is for a register, ${register}, that ${agency} does not have on the roster`];
  }

  /** What an agency's registers may be now, those of a moment ago and those that it just announced among them. */
  #registersOf(agency: string): readonly (readonly Register[])[] | undefined {
    const states = this.#inForce.registersOf(agency, this.#lastAt);
    // Before the first roster of a log that goes on from another nothing is known of any agency.
    if (states === undefined || (states.length === 0 && this.#continues)) return undefined;
    return [...states, ...this.membership.announcedBy(agency)];
  }

  #openLookup(
    { agency, lookupId, at }: Extract<SaidEntry, { event: 'lookup' | 'canary' }>,
    facts: LookupFacts,
  ): string[] {
    if (!this.#lookupIds.add(lookupId))
      return [`the identifier of this lookup, ${lookupId}, was used before`];
    const { nodes, requestDigest } = facts;
    this.#lookups.set(lookupId, { nodes, requestDigest, agency, at, answers: new Map() });
    return this.#checkTerms(agency, facts.terms);
  }

  /** Whether the gateway had to refuse a lookup by the roster that it was made with. */
  #checkTerms(agency: string, terms: LookupTerms): string[] {
    const rosters = this.#inForce.at(this.#lastAt);
    const [newest] = rosters;
    if (newest === undefined) return this.#continues ? [] : ['it was made before there was any roster'];
    const one = rosters.find(({ version }) => version === terms.rosterVersion);
    if (one === undefined)
      return [`it was made with roster ${terms.rosterVersion}, and roster ${newest.version} is in force`];
    try {
      if (one.roster !== undefined) checkLookup(one.roster, agency, terms);
      return [];
    } catch (error) {
      if (!(error instanceof HitError)) throw error;
      return [`roster ${one.version} does not allow it (${error.code}): ${error.detail}`];
    }
  }

  #checkAnswer({ agency, lookupId, node, request }: Extract<SaidEntry, { event: 'answer' }>): string[] {
    const lookup = this.#lookups.get(lookupId);
    if (lookup === undefined)
      return [`it is an answer to the lookup ${lookupId}, and no entry before it opens that`];
    if (lookup.agency !== agency) return [`it says that ${agency} asked, and ${lookup.agency} did`];
    if (lookup.requestDigest !== request)
      return [
        `it is an answer to another request of ${agency} than the one that opens the lookup ${lookupId}`,
      ];
    if (!lookup.nodes.includes(node)) return [`it is an answer of ${node}, which the lookup did not address`];
    const answers = (lookup.answers.get(node) ?? 0) + 1;
    lookup.answers.set(node, answers);
    return answers > ANSWERS_PER_NODE ? [`it is answer ${answers} of ${node} to the same lookup`] : [];
  }

  #checkRoster(index: number, entry: RosterEntry): string[] {
    const { version, digest } = entry;
    const last = this.#lastRoster;
    if (last?.version === version && last.digest === digest) {
      // The gateway could not tell whether the first had been written.
      this.notices.push({ index, reason: `roster ${version} is logged twice, as the same` });
      return [];
    }
    this.#lastRoster = entry;
    const first = last === undefined && this.#continues;
    const due = (last?.version ?? 0) + 1;
    const reasons =
      version === due || first ? [] : [`it is version ${version} of the roster, where version ${due} is due`];
    const found = this.#documentOf(entry);
    this.#inForce.enter({ version, roster: found.roster }, entry.at);
    if (found.roster === undefined) return [...reasons, found.reason];
    return [
      ...reasons,
      ...this.#documents.carriedBy(found.document),
      ...this.#takeRoster(index, entry, found.roster, first),
    ];
  }

  #documentOf(
    entry: RosterEntry,
  ): { roster: Roster; document: SignedDocument; reason?: never } | { roster?: never; reason: string } {
    const { backend, federation, publicKey, roster } = this.#options;
    try {
      const document = roster(entry.version);
      const found = rosterOf(backend, { federation, publicKey }, entry, document);
      return { roster: found, document: document as SignedDocument };
    } catch (error) {
      if (!(error instanceof HitError)) throw error;
      return { reason: error.detail };
    }
  }

  /** `first`: of a log that goes on from one without proofs. */
  #takeRoster(index: number, entry: RosterEntry, roster: Roster, first: boolean): string[] {
    const untold = first ? undefined : untoldChange(this.#roster, roster, entry);
    const unfounded = this.membership.roster(roster.agencies, { index, at: entry.at }, first);
    if (first)
      this.notices.push({
        index,
        reason: 'the keys on this roster are taken as they are: its agencies enrolled before this log began',
      });
    const before = this.#roster ?? roster;
    this.#roster = roster;
    const { evaluationKey, evaluationVersion: number = 1 } = roster.gateway;
    if (before.gateway.evaluationKey !== evaluationKey)
      this.notices.push({
        index,
        reason: `the gateway has another evaluation key from here on, number ${number}`,
      });
    return [...listed(untold), ...listed(evaluationKeyFault(before, roster)), ...unfounded];
  }

  /** Lets go of what no later entry can refer to; both maps hold the oldest first. */
  #forget(): void {
    for (const [name, { until }] of this.#nonces) {
      if (until >= this.#lastAt) break;
      this.#nonces.delete(name);
    }
    for (const [id, { at }] of this.#lookups) {
      if (at + LOOKUP_KEPT_MS >= this.#lastAt) break;
      this.#lookups.delete(id);
    }
  }
}

const listed = (reason: string | undefined): string[] => (reason === undefined ? [] : [reason]);

/** Whether an agency signed the request; one that nobody signed says nothing about it. */
const isSigned = ({ request }: Pick<EntryFacts, 'request'>): boolean => request?.signedWith !== undefined;

/**
 * Whether one signed request may stand in two entries. An enrolment may come twice at the same moment, and the second
 * changes nothing; what was logged can still end in a refusal, when its receipt cannot be made.
 */
function mayFollow(first: LogEventName, second: LogEventName): boolean {
  if (second === 'enrolment') return true;
  return second === `${first === 'canary' ? 'lookup' : first}-refused`;
}

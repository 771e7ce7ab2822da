import type { LogEntry, LoggedRequest, LookupRequest, TreeHead } from '@hitmachine/protocol';
import {
  HitError,
  checkLoggedRequest,
  cosignaturesOn,
  decodeBase64,
  decodeEntry,
  keyChangeSchema,
  leafHash,
  logVerifierKey,
  lookupRequestSchema,
  openCheckpoint,
  parseJson,
  parseReceipt,
  utf8ToBytes,
  verifyReceipt,
  witnessName,
} from '@hitmachine/protocol';
import type { AuditLog } from '../ports/audit-log.ts';
import type { Checkpoints } from '../ports/checkpoints.ts';
import type { FoundEntry, LogSearch } from '../ports/log-search.ts';
import type { CheckpointSigner } from './checkpoint-signer.ts';
import type { GatewayKeys } from './keys.ts';
import { receiptFor } from './receipts.ts';
import type { RosterKeeper } from './roster-keeper.ts';

export interface EvidenceDeps {
  readonly auditLog: AuditLog;
  readonly search: LogSearch;
  readonly published: Checkpoints;
  readonly checkpoints: CheckpointSigner;
  readonly keys: GatewayKeys;
  readonly roster: RosterKeeper;
}

/** A partner that cosigned a checkpoint. */
export interface Cosigner {
  readonly agency: string;
  /** Milliseconds since 1970. */
  readonly at: number;
}

/** Whether an entry stands in the log that the partners have seen. */
export type Inclusion =
  | {
      readonly status: 'proved';
      readonly head: TreeHead;
      /** The inclusion proof, from the leaf to the root. */
      readonly proof: readonly Uint8Array[];
      readonly cosigners: readonly Cosigner[];
      /** C2SP tlog-proof. */
      readonly receipt: string;
    }
  /** No published checkpoint reaches it yet. */
  | { readonly status: 'pending' }
  | { readonly status: 'failed'; readonly reason: string };

/** Whether the agency did sign what the entry says. */
export interface SignedRequest {
  /** What was signed; undefined when the signature does not hold. */
  readonly request: LoggedRequest | undefined;
  readonly reason: string | undefined;
  /** The key that signed, or else that of the agency's latest enrolment before: as enrolled or announced in this log. */
  readonly key: string | undefined;
  /** Whether that is the key on today's roster. */
  readonly onRoster: boolean;
}

/** Everything that can be said of one entry. */
export interface EntryEvidence {
  readonly index: number;
  readonly size: number;
  readonly leaf: Uint8Array;
  /** Undefined for a leaf that cannot be read: a gateway does not write such. */
  readonly entry: LogEntry | undefined;
  readonly leafHash: Uint8Array;
  readonly inclusion: Inclusion;
  readonly signed: SignedRequest | undefined;
  /** The request of a lookup. */
  readonly lookup: LookupRequest | undefined;
  /** The other entries of the same lookup, oldest first. */
  readonly related: readonly FoundEntry[];
  /** The log's key in the text form that other implementations take (C2SP signed-note). */
  readonly verifierKey: string;
}

/** Other entries of one lookup that are shown: an answer for each agency of a large federation. */
const MAX_RELATED = 200;

/** Gathers and checks what there is to know of an entry. Throws `not-found` or `storage-failed`. */
export async function entryEvidence(deps: EvidenceDeps, index: number): Promise<EntryEvidence> {
  const { size } = await deps.auditLog.head();
  const [leaf] = index < size ? await deps.auditLog.leaves(index, 1) : [];
  if (leaf === undefined) throw new HitError('not-found', `the log has no entry ${index}: it has ${size}`);
  const entry = readable(() => decodeEntry(leaf));
  const body = entry !== undefined && 'body' in entry ? entry.body : undefined;
  const { identityKey } = deps.keys;
  return {
    index,
    size,
    leaf,
    entry,
    leafHash: leafHash(leaf),
    inclusion: await inclusionOf(deps, index, leaf),
    signed: entry === undefined ? undefined : await signedRequest(deps, index, entry),
    lookup:
      entry?.event === 'lookup' || entry?.event === 'canary'
        ? readable(() => parseJson(lookupRequestSchema, utf8ToBytes(body ?? '')))
        : undefined,
    related: await relatedTo(deps.search, index, entry),
    verifierKey: logVerifierKey({ origin: deps.checkpoints.origin, publicKey: identityKey }),
  };
}

/** The partners that cosigned a note, by the keys on the roster. */
export function cosignersOf(deps: Pick<EvidenceDeps, 'keys' | 'roster'>, note: string): Cosigner[] {
  const { federation, agencies } = deps.roster.current.roster;
  const witnesses = agencies.map(({ id, identityKey }) => ({
    id,
    name: witnessName(federation, id),
    publicKey: decodeBase64(identityKey, 32),
  }));
  const times = new Map(
    cosignaturesOn(deps.keys.suite.backend, note, witnesses).map(({ name, at }) => [name, at * 1_000]),
  );
  return witnesses.flatMap(({ id, name }) => {
    const at = times.get(name);
    return at === undefined ? [] : [{ agency: id, at }];
  });
}

async function inclusionOf(deps: EvidenceDeps, index: number, leaf: Uint8Array): Promise<Inclusion> {
  const latest = await deps.published.latest();
  if (latest === undefined || latest.size <= index) return { status: 'pending' };
  const { backend } = deps.keys.suite;
  const log = { origin: deps.checkpoints.origin, publicKey: deps.keys.identityKey };
  try {
    const { head } = openCheckpoint(backend, latest.note, log);
    const { receipt } = await receiptFor(deps, { index, leaf }, { head, note: latest.note });
    verifyReceipt(backend, log, leaf, receipt);
    const { proof } = parseReceipt(receipt);
    return { status: 'proved', head, proof, receipt, cosigners: cosignersOf(deps, latest.note) };
  } catch (error) {
    if (!(error instanceof HitError) || error.code === 'storage-failed') throw error;
    return { status: 'failed', reason: error.detail };
  }
}

async function signedRequest(
  deps: EvidenceDeps,
  index: number,
  entry: LogEntry,
): Promise<SignedRequest | undefined> {
  if (!('evidence' in entry)) return undefined;
  const { agency, evidence } = entry;
  const current = deps.roster.current.roster.agencies.find(({ id }) => id === agency)?.identityKey;
  const keys = entry.event === 'enrolment' ? [entry.identityKey] : await keysAt(deps.search, agency, index);
  const [first] = keys;
  if (first === undefined) return { request: undefined, reason: undefined, key: undefined, onRoster: false };
  const logged = {
    base: decodeBase64(evidence.base),
    signature: decodeBase64(evidence.signature),
    ...('body' in entry && { body: utf8ToBytes(entry.body) }),
  };
  let reason: string | undefined;
  for (const key of keys)
    try {
      const { backend } = deps.keys.suite;
      const request = checkLoggedRequest(backend, decodeBase64(key, 32), agency, logged);
      return { request, reason: undefined, key, onRoster: key === current };
    } catch (error) {
      if (!(error instanceof HitError)) throw error;
      reason ??= error.detail;
    }
  return { request: undefined, reason, key: first, onRoster: first === current };
}

/** Changes of keys since an enrolment that are looked at: they are days apart. */
const MAX_CHANGES = 50;

/** The identity keys that an agency had before an entry: that of its latest enrolment, and those that it announced since. */
async function keysAt(search: LogSearch, agency: string, index: number): Promise<string[]> {
  const keys: string[] = [];
  const events = ['enrolment', 'key-change'] as const;
  for (const { entry } of await search.find({ agency, events }, index, MAX_CHANGES)) {
    if (entry.event === 'enrolment') return [entry.identityKey, ...keys];
    if (entry.event !== 'key-change') continue;
    const change = readable(() => parseJson(keyChangeSchema, utf8ToBytes(entry.body)));
    if (change !== undefined) keys.push(change.identityKey);
  }
  return keys;
}

async function relatedTo(
  search: LogSearch,
  index: number,
  entry: LogEntry | undefined,
): Promise<readonly FoundEntry[]> {
  if (entry === undefined || !('lookupId' in entry)) return [];
  const found = await search.find({ lookupId: entry.lookupId }, undefined, MAX_RELATED);
  return found.filter((other) => other.index !== index).reverse();
}

function readable<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch (error) {
    if (error instanceof HitError) return undefined;
    throw error;
  }
}

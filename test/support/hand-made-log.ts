import { randomFillSync } from 'node:crypto';
import type {
  Agency,
  GatewayKeys,
  KnownKeys,
  LogEvent,
  LogProblem,
  Policy,
  RosterPayload,
  SignedDocument,
} from '@hitmachine/protocol';
import {
  ASKED_ABOUT_REGISTER,
  CANARY_PURPOSE,
  CANARY_ROLE,
  GATEWAY_KEY_ID,
  LogCheck,
  POLICY_KIND,
  ROSTER_KIND,
  SUBJECT_ACCESS_PURPOSE,
  checkEntry,
  decodeBase64,
  digestOf,
  encodeBase64,
  encodeEntry,
  loadSodium,
  policySchema,
  signDocument,
  signRequest,
  utf8ToBytes,
} from '@hitmachine/protocol';
import { sha256 } from '@noble/hashes/sha2.js';
import { evidenceFrom } from './small-log.ts';

export { digestOf };
export const backend = await loadSodium();
export const random = (length: number): Uint8Array => randomFillSync(new Uint8Array(length));
export const id = (): string => encodeBase64(random(16));
export const START = Date.UTC(2026, 2, 2, 12);
export const MINUTE = 60_000;
const GATEWAY = random(32);
const GATEWAY_KEY = backend.signatures.publicKey(GATEWAY);
export const register = (name: string): Agency['registers'][number] => ({
  id: name,
  name,
  areaOfLife: name === ASKED_ABOUT_REGISTER ? SUBJECT_ACCESS_PURPOSE : 'zorg',
  tokenTypes: ['bsn'],
  contact: { name: 'Balie' },
  tableBits: {},
});

const named = (code: string) => ({ code, name: { nl: code, en: code } });

/** The policy of logs that are made by hand. */
export const POLICY: Policy = policySchema.parse({
  format: 'hitmachine-policy-1',
  federation: 'waalstad',
  version: 1,
  settings: { tokenTypes: { bsn: 6 }, lookupProof: true, maxPersons: 4, answerTimeoutMs: 300 },
  areasOfLife: ['zorg', SUBJECT_ACCESS_PURPOSE].map(named),
  roles: [named('coordinator')],
  quotas: { agency: { day: 2_000 }, professional: { day: 300 } },
  logRetentionDays: 365,
  purposes: ['casusoverleg', SUBJECT_ACCESS_PURPOSE].map((code) => ({
    ...named(code),
    legalBasis: 'wet',
    reference: 'artikel 1',
    explanation: { nl: code, en: code },
    askers: { kinds: ['other'], roles: ['coordinator'] },
    asked: { areasOfLife: [code === SUBJECT_ACCESS_PURPOSE ? code : 'zorg'] },
    tokenTypes: ['bsn'],
    maxPersons: 4,
    retention: { lookupDays: 30, answerDays: 1 },
  })),
});

/** The gateway's keys as its rosters name them. */
export const GATEWAY_KEYS: GatewayKeys = {
  identityKey: encodeBase64(GATEWAY_KEY),
  evaluationKey: encodeBase64(new Uint8Array(32).fill(1)),
};

interface LookupOptions {
  readonly at?: number;
  readonly seed?: Uint8Array;
  readonly purpose?: string;
  readonly path?: string;
  readonly change?: { readonly purpose?: string; readonly [field: string]: unknown };
  /** The same in other letters. */
  readonly spelt?: (body: string) => string;
}

/** A log that is made by hand, entry by entry, and checked as it grows. */
export class HandMade {
  readonly seeds = new Map<string, Uint8Array>();
  readonly keys = new Map<string, string[]>();
  readonly documents = new Map<number, SignedDocument>();
  readonly check: LogCheck;
  at = START;
  agencies: Agency[] = [];
  version = 0;
  /** What the rosters carry. */
  policyDocument = this.sign(POLICY_KIND, POLICY);
  members: SignedDocument | undefined;
  gateway: GatewayKeys = GATEWAY_KEYS;

  constructor(knownKeys?: KnownKeys) {
    this.check = new LogCheck({
      backend,
      federation: 'waalstad',
      publicKey: GATEWAY_KEY,
      roster: (version) => this.documents.get(version)!,
      knownKeys,
    });
  }

  /** What is wrong by the next entry. */
  add(event: LogEvent, at = this.at): LogProblem[] {
    const leaf = encodeEntry({ at, ...event });
    return this.check.add(checkEntry(backend, leaf, (agency) => this.keys.get(agency) ?? []));
  }

  open(change: object = {}): LogProblem[] {
    const identityKey = encodeBase64(GATEWAY_KEY);
    return this.add({ event: 'log-opened', federation: 'waalstad', identityKey, ...change });
  }

  signed(
    agency: string,
    method: string,
    path: string,
    body: string,
    options: { at?: number; seed?: Uint8Array } = {},
  ) {
    const seed = options.seed ?? this.seeds.get(agency)!;
    const request = { method, path, body: utf8ToBytes(body) };
    return evidenceFrom(signRequest(backend, seed, agency, request, options.at ?? this.at, random));
  }

  invite(agency: string): LogProblem[] {
    return this.add({ event: 'agency-invited', agency, again: false });
  }

  /** An invitation and an enrolment, with the key that the agency has from then on; on the roster that follows. */
  enrol(agency: string, seed: Uint8Array = random(32)): LogProblem[] {
    return [...this.invite(agency), ...this.enrolUninvited(agency, seed)];
  }

  enrolUninvited(agency: string, seed: Uint8Array = random(32)): LogProblem[] {
    this.seeds.set(agency, seed);
    const identityKey = encodeBase64(backend.signatures.publicKey(seed));
    this.keys.set(agency, [...(this.keys.get(agency) ?? []), identityKey]);
    const evidence = this.signed(agency, 'POST', '/v1/enrolments', '{}');
    this.agencies = [
      ...this.agencies.filter((one) => one.id !== agency),
      {
        id: agency,
        name: agency,
        kind: 'other' as const,
        identityKey,
        sessionKey: { kem: 'x25519' as const, publicKey: encodeBase64(random(32)) },
        registers: [register('een'), register(ASKED_ABOUT_REGISTER)],
      },
    ].sort((a, b) => (a.id < b.id ? -1 : 1));
    return this.add({ event: 'enrolment', agency, identityKey, evidence });
  }

  sign(kind: string, value: unknown): SignedDocument {
    return signDocument(backend, kind, value, { keyId: GATEWAY_KEY_ID, seed: GATEWAY });
  }

  /** A policy that rosters carry from then on. */
  policy(policy: Policy = POLICY): LogProblem[] {
    this.policyDocument = this.sign(POLICY_KIND, policy);
    const digest = digestOf(this.policyDocument);
    return this.add({ event: 'policy', version: policy.version, digest, signers: [GATEWAY_KEY_ID] });
  }

  /** The roster of the agencies as they are, `changed` as the entry tells it. */
  roster(changed: Extract<LogEvent, { event: 'roster' }>['changed'], version = ++this.version): LogProblem[] {
    const roster: RosterPayload = {
      format: 'hitmachine-roster-1',
      federation: 'waalstad',
      version,
      issuedAt: this.at,
      gateway: this.gateway,
      policy: this.policyDocument,
      ...(this.members !== undefined && { members: this.members }),
      agencies: this.agencies,
    };
    const document = this.sign(ROSTER_KIND, roster);
    this.documents.set(version, document);
    return this.add({ event: 'roster', version, digest: digestOf(document), changed });
  }

  lookup(agency: string, options: LookupOptions = {}) {
    const asked = {
      rosterVersion: this.version,
      purpose: options.purpose ?? 'casusoverleg',
      caseCommitment: encodeBase64(random(32)),
      professional: id(),
      role:
        options.purpose === CANARY_PURPOSE || options.change?.purpose === CANARY_PURPOSE
          ? CANARY_ROLE
          : 'coordinator',
      statements: [],
      registers: ['ggz/een', 'politie/een'],
      tokenTypes: ['bsn'],
      persons: 1,
      ...options.change,
    };
    const elements = encodeBase64(random(32 * asked.persons * asked.tokenTypes.length));
    const text = JSON.stringify({ ...asked, elements, ...options.change });
    const body = options.spelt?.(text) ?? text;
    const evidence = this.signed(agency, 'POST', options.path ?? '/v1/lookups', body, options);
    return { event: 'lookup', agency, lookupId: id(), body, evidence } as const;
  }

  commit(agency: string, change: object = {}): LogProblem[] {
    const body = JSON.stringify({
      format: 'hitmachine-tables-1',
      epoch: 1,
      day: '2026-03-02',
      tables: [],
      ...change,
    });
    const evidence = this.signed(agency, 'POST', '/v1/tables', body);
    return this.add({ event: 'tables', agency, body, evidence });
  }

  answerTo(lookup: ReturnType<HandMade['lookup']>, change: object = {}): LogEvent {
    return {
      event: 'answer',
      id: id(),
      agency: lookup.agency,
      lookupId: lookup.lookupId,
      node: 'ggz',
      request: encodeBase64(sha256(decodeBase64(lookup.evidence.base))),
      outcome: 'answered',
      milliseconds: 10,
      ...change,
    };
  }
}

/** What is wrong, without the entry. */
export const reasons = (problems: LogProblem[]): string[] => problems.map(({ reason }) => reason);

/** A log with two agencies, on roster 1: entries 0 to 6. Throws when something is wrong with it. */
export function begun(knownKeys?: KnownKeys): HandMade {
  const log = new HandMade(knownKeys);
  const problems = [
    ...log.open(),
    ...log.policy(),
    ...log.enrol('politie'),
    ...log.enrol('ggz'),
    ...log.roster(['gateway-keys', 'policy', 'agencies', 'agency-keys', 'registers']),
  ];
  if (problems.length > 0) throw new Error(reasons(problems).join('; '));
  return log;
}

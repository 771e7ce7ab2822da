import type { LookupOpened, LookupRequest, SessionKey } from '@hitmachine/protocol';
import {
  blind,
  concatBytes,
  createSuite,
  encodeBase64,
  signRequest,
  utf8ToBytes,
} from '@hitmachine/protocol';
import { PURPOSE, backend, random } from './fixtures.ts';

export type Send = (path: string, init: RequestInit) => Promise<Response>;

export const suite = createSuite('voprf', backend);
export const sessionKey: SessionKey = { kem: 'x25519', publicKey: encodeBase64(new Uint8Array(32).fill(9)) };

/** Blinded elements of persons that do not exist. */
export const elements = (count: number): Uint8Array =>
  concatBytes(
    ...Array.from({ length: count }, (_, i) => blind(suite, utf8ToBytes(`person ${i}`), random).element),
  );

export const register = (id: string) => ({
  id,
  name: `Register ${id}`,
  areaOfLife: 'veiligheid',
  tokenTypes: ['bsn', 'name+birthdate'],
  contact: { name: 'Balie' },
});

export interface SignedParts {
  readonly method: string;
  readonly path: string;
  readonly headers: Record<string, string>;
  readonly body: Uint8Array;
}

/** The gateway's side of an agency: its identity and the requests that it signs. */
export class TestAgency {
  readonly id: string;
  readonly send: Send;
  readonly now: () => number;
  readonly seed: Uint8Array;

  constructor(id: string, send: Send, now: () => number, seed: Uint8Array = random(32)) {
    this.id = id;
    this.send = send;
    this.now = now;
    this.seed = seed;
  }

  get identityKey(): string {
    return encodeBase64(backend.signatures.publicKey(this.seed));
  }

  /** A signed request that can still be tampered with. */
  sign(method: string, path: string, body: unknown, at = this.now()): SignedParts {
    const bytes =
      body instanceof Uint8Array
        ? body
        : body === undefined
          ? new Uint8Array()
          : utf8ToBytes(JSON.stringify(body));
    const { headers } = signRequest(backend, this.seed, this.id, { method, path, body: bytes }, at, random);
    const type: Record<string, string> = bytes.length > 0 ? { 'content-type': 'application/json' } : {};
    return { method, path, headers: { ...headers, ...type }, body: bytes };
  }

  post({ method, path, headers, body }: SignedParts): Promise<Response> {
    return this.send(path, { method, headers, ...(body.length > 0 && { body: new Uint8Array(body) }) });
  }

  call(method: string, path: string, body?: unknown): Promise<Response> {
    return this.post(this.sign(method, path, body));
  }

  enrol(
    secret: Uint8Array,
    registers: readonly string[] = ['incidenten'],
    change: object = {},
  ): Promise<Response> {
    return this.call('POST', '/v1/enrolments', {
      agency: this.id,
      secret: encodeBase64(secret),
      identityKey: this.identityKey,
      sessionKey,
      registers: registers.map(register),
      ...change,
    });
  }

  /** The body of a lookup, correct unless changed. */
  lookup(rosterVersion: number, change: Partial<LookupRequest> = {}): LookupRequest {
    const persons = change.persons ?? 1;
    const tokenTypes = change.tokenTypes ?? ['bsn', 'name+birthdate'];
    return {
      rosterVersion,
      purpose: PURPOSE.code,
      caseCommitment: encodeBase64(new Uint8Array(32)),
      professional: encodeBase64(new Uint8Array(16)),
      role: 'coordinator',
      statements: [],
      registers: [`${this.id}/incidenten`],
      tokenTypes,
      persons,
      elements: encodeBase64(elements(persons * tokenTypes.length)),
      ...change,
    };
  }

  async opened(rosterVersion: number, change: Partial<LookupRequest> = {}): Promise<LookupOpened> {
    const response = await this.call('POST', '/v1/lookups', this.lookup(rosterVersion, change));
    if (response.status !== 200) throw new Error(await response.text());
    return (await response.json()) as LookupOpened;
  }
}

import { Agent, request } from 'node:http';
import type { LookupRequest, SessionKey } from '@hitmachine/protocol';
import {
  blind,
  concatBytes,
  createSuite,
  decodeEnrolmentToken,
  encodeBase64,
  loadSodium,
  openRoster,
  signRequest,
  utf8ToBytes,
} from '@hitmachine/protocol';
import type { SignedDocument } from '@hitmachine/protocol';
import { systemRandom } from '@hitmachine/gateway';

const backend = await loadSodium();
const suite = createSuite('voprf', backend);
const sessionKey: SessionKey = { kem: 'x25519', publicKey: encodeBase64(new Uint8Array(32).fill(9)) };
const REGISTER = 'incidenten';
const TOKEN_TYPES = ['bsn'];

/** What became of a request: its HTTP status, and the rule or code of a refusal; `lost` when no answer came. */
export interface Reply {
  readonly status: number;
  readonly word: string;
  readonly body: unknown;
  /** The header `Retry-After`, in seconds. */
  readonly retryAfter?: string | undefined;
}

/** One agency that asks: it signs every request for itself, as a real agent does. */
export class Asker {
  readonly id: string;
  rosterVersion = 0;
  readonly #seed = systemRandom(32);
  readonly #connections: Agent;
  readonly #bodies = new Map<number, Uint8Array>();

  /** `atOnce`: requests under way; more wait here, unseen by the gateway. */
  constructor(id: string, atOnce = 64) {
    this.id = id;
    this.#connections = new Agent({ keepAlive: true, maxSockets: atOnce });
  }

  /** Enrols with one register, with the token of `hit-gateway agency add`. */
  async enrol(url: string, token: string): Promise<void> {
    const { secret, gatewayKey } = decodeEnrolmentToken(token);
    const { status, body } = await this.post(url, '/v1/enrolments', {
      agency: this.id,
      secret: encodeBase64(secret),
      identityKey: encodeBase64(backend.signatures.publicKey(this.#seed)),
      sessionKey,
      registers: [
        {
          id: REGISTER,
          name: 'Incidenten',
          areaOfLife: 'veiligheid',
          tokenTypes: TOKEN_TYPES,
          contact: { name: 'Balie' },
        },
      ],
    });
    if (status !== 201) throw new Error(`enrolment of ${this.id}: ${status} ${JSON.stringify(body)}`);
    const { roster } = body as { roster: SignedDocument };
    this.rosterVersion = openRoster(backend, roster, gatewayKey).version;
  }

  /** Asks about some persons at the register of another agency: one signed request. */
  lookup(url: string, other: string, persons: number): Promise<Reply> {
    let bytes = this.#bodies.get(persons);
    if (bytes === undefined) {
      const elements = Array.from(
        { length: persons },
        (_, i) => blind(suite, utf8ToBytes(`${this.id} ${i}`), systemRandom).element,
      );
      const lookup: LookupRequest = {
        rosterVersion: this.rosterVersion,
        purpose: 'jeugdbescherming',
        caseCommitment: encodeBase64(new Uint8Array(32)),
        professional: encodeBase64(new Uint8Array(16)),
        role: 'case-worker',
        statements: [],
        registers: [`${other}/${REGISTER}`],
        tokenTypes: TOKEN_TYPES,
        persons,
        elements: encodeBase64(concatBytes(...elements)),
      };
      bytes = utf8ToBytes(JSON.stringify(lookup));
      this.#bodies.set(persons, bytes);
    }
    return this.post(url, '/v1/lookups', bytes);
  }

  close(): void {
    this.#connections.destroy();
  }

  async post(url: string, path: string, body: unknown): Promise<Reply> {
    const bytes = body instanceof Uint8Array ? body : utf8ToBytes(JSON.stringify(body));
    const signed = signRequest(
      backend,
      this.#seed,
      this.id,
      { method: 'POST', path, body: bytes },
      Date.now(),
      systemRandom,
    );
    const headers = { ...signed.headers, 'content-type': 'application/json', 'content-length': bytes.length };
    return new Promise((resolve) => {
      const lost = (): void => resolve({ status: 0, word: 'lost', body: undefined });
      const sent = request(
        new URL(path, url),
        { method: 'POST', headers, agent: this.#connections },
        (response) => {
          const parts: Buffer[] = [];
          response.on('data', (part: Buffer) => parts.push(part));
          response.on('error', lost);
          response.on('end', () => {
            const status = response.statusCode ?? 0;
            const answer = JSON.parse(Buffer.concat(parts).toString('utf8')) as {
              rule?: string;
              code?: string;
            };
            const retryAfter = response.headers['retry-after'];
            resolve({ status, word: answer.rule ?? answer.code ?? 'let through', body: answer, retryAfter });
          });
        },
      );
      sent.on('error', lost);
      sent.end(bytes);
    });
  }
}

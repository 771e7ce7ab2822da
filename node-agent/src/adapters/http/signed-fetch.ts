import type { Backend, ErrorCode, FieldError, Random } from '@hitmachine/protocol';
import { ERRORS, HitError, signRequest } from '@hitmachine/protocol';
import type { Clock } from '../../ports/clock.ts';
import { clockProblem } from './clock-problem.ts';
import { connectionProblem, dialErrorIn } from './connection-problem.ts';
import type { GatewayNet } from './gateway-net.ts';
import { whenThereIsRoom } from './when-there-is-room.ts';

/** Who signs the requests to the gateway. */
export interface Signer {
  readonly agency: string;
  readonly identitySeed: () => Uint8Array;
  readonly backend: Backend;
  readonly random: Random;
  readonly clock: Clock;
}

export interface SignedResponse {
  readonly bytes: Uint8Array;
  /** The bytes that were signed. */
  readonly base: Uint8Array;
  /** The body of the request, as it was sent. */
  readonly body: Uint8Array;
}

const DEADLINE_MS = 30_000;
/** A roster of 2,000 agencies and a lookup at all of them fit well within. */
const MAX_REPLY_BYTES = 16_777_216;
const NO_BODY = new Uint8Array(0);

/**
 * When a request may be made a second time: `unsent` when nothing of the first was sent, `safe` also when it may have
 * arrived, since the gateway takes the same request twice for one.
 */
export type Again = 'unsent' | 'safe';

/** Sends a request signed by the agency and reads the whole reply. Throws what {@link send} throws. */
export async function signedFetch(
  signer: Signer,
  net: GatewayNet,
  method: string,
  path: string,
  body: unknown,
  again: Again,
): Promise<SignedResponse> {
  return (await signedFetchFrom(signer, net, method, path, body, again)).response;
}

/** As {@link signedFetch}, and tells from which address the reply came. */
export function signedFetchFrom(
  signer: Signer,
  net: GatewayNet,
  method: string,
  path: string,
  body: unknown,
  again: Again,
): Promise<{ readonly response: SignedResponse; readonly address: string }> {
  const bytes = body === undefined ? NO_BODY : new TextEncoder().encode(JSON.stringify(body));
  const attempt = async (address: string) => {
    // Signed anew each time: the gateway takes a signature once.
    const { headers, base } = signRequest(
      signer.backend,
      signer.identitySeed(),
      signer.agency,
      { method, path, body: bytes },
      signer.clock(),
      signer.random,
    );
    const request = {
      method,
      headers: { ...headers, ...(body === undefined ? {} : { 'content-type': 'application/json' }) },
      ...(body === undefined ? {} : { body: Buffer.from(bytes) }),
      signal: AbortSignal.timeout(DEADLINE_MS),
    };
    const reply = await send(net, new URL(path, address), request, signer.clock);
    return { response: { bytes: await readAll(reply), base, body: bytes }, address };
  };
  return whenThereIsRoom(() => atSomeAddress(net.addresses.inOrder(), net, again, attempt));
}

/**
 * Does `work` at the first address, and once more, at the next one or the same, where the gateway could not be reached
 * and it may be done again. A single address may be that of a load balancer, which leads to another replica then.
 */
export async function atSomeAddress<T>(
  [first, ...others]: readonly string[],
  { addresses }: Pick<GatewayNet, 'addresses'>,
  again: Again,
  work: (address: string) => Promise<T>,
): Promise<T> {
  if (first === undefined) throw new HitError('internal', 'there is no address of the gateway');
  let failure: unknown;
  for (const address of [first, ...(others.length === 0 ? [first] : others)]) {
    try {
      const result = await work(address);
      addresses.works(address);
      return result;
    } catch (error) {
      failure ??= error;
      if (!(error instanceof HitError) || error.code !== 'gateway-unreachable') throw error;
      addresses.failed(address);
      const unsent = dialErrorIn(error) !== undefined;
      if (!unsent && (again !== 'safe' || !(error.cause instanceof Error))) throw error;
    }
  }
  throw failure;
}

/**
 * A request to the gateway. Throws `gateway-unreachable` when there is no reply that it could have given, and the
 * gateway's own code when it said no.
 */
export async function send(
  net: Pick<GatewayNet, 'fetch' | 'certificateProblem'>,
  url: URL,
  init: RequestInit,
  clock: Clock = Date.now,
): Promise<Response> {
  let response: Response;
  try {
    response = await net.fetch(url, { ...init, redirect: 'error' });
  } catch (cause) {
    throw new HitError(
      'gateway-unreachable',
      `no connection to ${url.origin}: ${net.certificateProblem() ?? connectionProblem(cause)}`,
      {
        cause,
      },
    );
  }
  if (response.ok) return response;
  throw await refusal(response, clock());
}

/** Reads a body that may break off half-way. Throws `gateway-unreachable` then. */
export async function readAll(response: Response): Promise<Uint8Array> {
  const parts: Uint8Array[] = [];
  let length = 0;
  try {
    for await (const part of (response.body ?? []) as AsyncIterable<Uint8Array>) {
      parts.push(part);
      length += part.length;
      // Counted as it comes in: a small compressed body may be a very large one.
      if (length > MAX_REPLY_BYTES) break;
    }
  } catch (cause) {
    throw new HitError('gateway-unreachable', 'the connection broke before the whole reply was in', {
      cause,
    });
  }
  if (length > MAX_REPLY_BYTES)
    throw new HitError(
      'gateway-unreachable',
      `a reply had more than ${MAX_REPLY_BYTES} bytes: is this a gateway?`,
    );
  return new Uint8Array(Buffer.concat(parts));
}

/** What the gateway says when it does not take our signature: nobody but this agency's administrator can mend it. */
const ABOUT_US = new Set(['signature-invalid', 'signature-expired', 'replayed', 'unauthorised']);

const isFieldError = (value: unknown): value is FieldError => {
  const { field, detail } = (value ?? {}) as Record<string, unknown>;
  return typeof field === 'string' && typeof detail === 'string';
};

/** The gateway's problem document as our own error; what is not a problem document is no reply of a gateway. */
async function refusal(response: Response, now: number): Promise<HitError> {
  let problem: unknown;
  try {
    problem = await response.json();
  } catch {
    problem = undefined;
  }
  const { code, detail, fields, rule } = (problem ?? {}) as Record<string, unknown>;
  if (typeof code !== 'string' || !Object.hasOwn(ERRORS, code))
    return new HitError(
      'gateway-unreachable',
      `status ${response.status} without a problem document: is this a gateway?`,
    );
  if (ABOUT_US.has(code))
    return new HitError(
      'gateway-unreachable',
      `the gateway does not accept this agency's requests: ${clockProblem(response.headers.get('date'), now) ?? String(detail)}`,
    );
  const retryAfter = Number(response.headers.get('retry-after') ?? Number.NaN);
  return new HitError(code as ErrorCode, typeof detail === 'string' ? detail : undefined, {
    ...(Array.isArray(fields) ? { fields: fields.filter(isFieldError) } : {}),
    ...(Number.isFinite(retryAfter) ? { retryAfter } : {}),
    ...(typeof rule === 'string' ? { rule } : {}),
  });
}

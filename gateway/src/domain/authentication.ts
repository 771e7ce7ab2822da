import type { CheckedSignature, SignatureHeaders } from '@hitmachine/protocol';
import { HitError, LIMITS, checkRequest, claimedKeyId } from '@hitmachine/protocol';
import type { OperationalLog } from '../log.ts';
import type { AgencyRecord, Directory, Enrolment } from '../ports/directory.ts';
import type { Nonces } from '../ports/nonces.ts';
import type { Runtime } from '../ports/runtime.ts';
import { identityKeysAt } from './agency-keys.ts';
import type { GatewayKeys } from './keys.ts';
import type { RosterKeeper } from './roster-keeper.ts';

/** A request as it came in. `path` is the path of the address, without the query. */
export interface IncomingRequest {
  readonly method: string;
  readonly path: string;
  readonly headers: { readonly [K in keyof SignatureHeaders]: string | undefined };
  readonly body: Uint8Array;
}

/** An agency that is on the roster, and the request that it signed. */
export interface Caller {
  readonly agency: AgencyRecord & { readonly enrolment: Enrolment };
  readonly signature: CheckedSignature;
  /** The key that it signed with. */
  readonly identityKey: Uint8Array;
}

export interface AuthenticationDeps {
  readonly keys: GatewayKeys;
  readonly directory: Directory;
  readonly roster: Pick<RosterKeeper, 'current'>;
  readonly nonces: Nonces;
  readonly runtime: Runtime;
  readonly log: OperationalLog;
}

/**
 * Who signed a request (RFC 9421, our profile), each nonce once. Throws `signature-invalid`, `signature-expired`,
 * `replayed` or `quota-exceeded`. An agency that is not on the roster looks to the caller like a wrong signature, so
 * that nobody can find out by asking who takes part; the operational log tells the difference.
 */
export async function authenticate(deps: AuthenticationDeps, request: IncomingRequest): Promise<Caller> {
  const caller = await whoSigned(deps, request);
  await useNonce(deps, caller.agency.id, caller.signature);
  return caller;
}

/** Whether the agency that a request names did sign it, also if it came before: no nonce is used up. */
export async function isSigned(deps: AuthenticationDeps, request: IncomingRequest): Promise<boolean> {
  try {
    await whoSigned(deps, request);
    return true;
  } catch (error) {
    if (error instanceof HitError) return false;
    throw error;
  }
}

async function whoSigned(deps: AuthenticationDeps, request: IncomingRequest): Promise<Caller> {
  const { backend } = deps.keys.suite;
  const id = claimedKeyId(request.headers['signature-input']);
  const agency = await deps.directory.agency(id);
  // The gateway's own key stands in for the missing one: the same work is done, and no agency can sign with it.
  const now = deps.runtime.now();
  const { roster } = deps.roster.current;
  const candidates =
    agency?.enrolment === undefined
      ? [deps.keys.identityKey]
      : identityKeysAt({ id, enrolment: agency.enrolment }, roster, now);
  let checked: Pick<Caller, 'signature' | 'identityKey'>;
  try {
    checked = checkByAny(candidates, (publicKey) =>
      checkRequest(backend, publicKey, request.headers, request, now),
    );
  } catch (error) {
    if (agency?.enrolment === undefined) deps.log.warn('authentication-refused', { code: 'unknown-agency' });
    else
      deps.log.warn('authentication-refused', {
        agency: id,
        ...(error instanceof HitError && { code: error.code }),
      });
    throw error;
  }
  if (agency?.enrolment === undefined) throw new HitError('signature-invalid');
  return { agency: { ...agency, enrolment: agency.enrolment }, ...checked };
}

/** Around a change of keys two of an agency count; what the first is refused with is told. */
function checkByAny(
  [first, ...others]: readonly Uint8Array[],
  check: (publicKey: Uint8Array) => CheckedSignature,
): Pick<Caller, 'signature' | 'identityKey'> {
  if (first === undefined) throw new HitError('internal');
  try {
    return { identityKey: first, signature: check(first) };
  } catch (error) {
    if (others.length === 0 || !(error instanceof HitError) || error.code !== 'signature-invalid')
      throw error;
    return checkByAny(others, check);
  }
}

async function useNonce(
  deps: AuthenticationDeps,
  agency: string,
  signature: CheckedSignature,
): Promise<void> {
  const usableUntil = signature.expires * 1000 + LIMITS.clockSkewMs;
  const use = await deps.nonces.use(agency, signature.nonce, usableUntil, deps.runtime.now());
  if (use === 'fresh') return;
  deps.log.warn('authentication-refused', {
    agency,
    code: use === 'replayed' ? 'replayed' : 'quota-exceeded',
  });
  if (use === 'replayed') throw new HitError('replayed');
  throw new HitError('quota-exceeded', 'too many signed requests in the last two minutes', {
    retryAfter: 60,
  });
}

import { claimedKeyId } from '@hitmachine/protocol';
import type { IncomingRequest } from '../domain/authentication.ts';
import { authenticate, isSigned } from '../domain/authentication.ts';
import type { Admission } from '../domain/admission.ts';
import type { Caller } from '../domain/authentication.ts';
import { requireOnRoster } from '../domain/membership.ts';
import { readBody, requireContentType } from './body.ts';
import type { GatewayContext, GatewayDeps } from './context.ts';

/** Codes that every signed route may answer with. */
export const SIGNED_CODES = [
  'malformed',
  'field-invalid',
  'signature-invalid',
  'signature-expired',
  'replayed',
  'quota-exceeded',
  'storage-failed',
  'not-ready',
  'internal',
] as const;

/** Codes that every route with a JSON body may answer with. */
export const JSON_CODES = ['unsupported-media-type', 'body-too-large'] as const;

/** The request in the form in which its signature is checked. */
export function incomingRequest(c: GatewayContext, body: Uint8Array): IncomingRequest {
  return {
    method: c.req.method,
    path: new URL(c.req.url).pathname,
    headers: {
      'content-digest': c.req.header('content-digest'),
      'signature-input': c.req.header('signature-input'),
      signature: c.req.header('signature'),
    },
    body,
  };
}

/** Who signed this request, and what it brings. Throws as `authenticate` does. */
export async function signedBy(deps: GatewayDeps, c: GatewayContext, body: Uint8Array): Promise<Caller> {
  const caller = await authenticate(deps, incomingRequest(c, body));
  c.set('agency', caller.agency.id);
  await requireOnRoster(deps.roster, caller);
  return caller;
}

/** A signed request with a JSON body: the checked caller and the raw bytes, in that order of trust. */
export async function signedJson(
  deps: GatewayDeps,
  c: GatewayContext,
): Promise<{ readonly caller: Caller; readonly body: Uint8Array }> {
  requireContentType(c, 'application/json');
  const body = await readBody(c);
  return { caller: await signedBy(deps, c, body), body };
}

/** Codes of routes whose work is let in as there is room for it. */
export const ADMISSION_CODES = ['agency-busy', 'overloaded'] as const;

/**
 * Does the work of a signed request with a JSON body when it is its turn. Requests take turns by who they say that they
 * come from, before anything is spent on checking it, and all that name no agency of the roster share one turn. Throws `agency-busy` or `overloaded` for what is turned away, and what `work` throws.
 */
export async function admitted<T>(
  deps: GatewayDeps,
  c: GatewayContext,
  admission: Admission,
  work: (caller: Caller, body: Uint8Array) => Promise<T>,
): Promise<T> {
  requireContentType(c, 'application/json');
  const claimed = claimedKeyId(c.req.header('signature-input'));
  const { agencies } = deps.roster.current.roster;
  const agency = agencies.find(({ id }) => id === claimed)?.id;
  admission.requireRoom(agency);
  // Read before its turn comes: a slow sender keeps nobody waiting.
  const body = await readBody(c);
  return admission.run(
    agency,
    async () => work(await signedBy(deps, c, body), body),
    () => isSigned(deps, incomingRequest(c, body)),
  );
}

import { HitError, constantTimeEqual } from '@hitmachine/protocol';
import type { Random } from '@hitmachine/protocol';
import type { OpenLookup, OpenLookups } from '../ports/open-lookups.ts';
import { sha256 } from './sha256.ts';

/** Keeps a lookup and returns its capability, of which only a hash is kept. Throws `storage-failed`. */
export async function keepOpen(
  lookups: OpenLookups,
  lookup: Omit<OpenLookup, 'capabilityHash'>,
  random: Random,
  now: number,
): Promise<Uint8Array> {
  const capability = random(32);
  await lookups.keep({ ...lookup, capabilityHash: sha256(capability) }, now);
  return capability;
}

/** The lookup that a capability opens. Throws `unknown-lookup`, `unauthorised` or `storage-failed`. */
export async function lookupBy(
  lookups: OpenLookups,
  lookupId: string,
  capability: Uint8Array | undefined,
  now: number,
): Promise<OpenLookup> {
  const lookup = await lookups.find(lookupId, now);
  if (lookup === undefined) throw unknown();
  if (capability === undefined || !constantTimeEqual(sha256(capability), lookup.capabilityHash))
    throw new HitError(
      'unauthorised',
      'the Authorization header does not hold the capability of this lookup',
    );
  return lookup;
}

/**
 * Claims the questions to these nodes: all of them or none. Throws `ticket-invalid`, naming the first question whose node
 * has no ticket in this lookup or was asked twice already, `unknown-lookup` or `storage-failed`.
 */
export async function claimQuestions(
  lookups: OpenLookups,
  lookup: OpenLookup,
  nodes: readonly string[],
): Promise<void> {
  const stranger = nodes.findIndex((node) => !lookup.tickets.has(node));
  if (stranger >= 0) throw refusal(stranger, 'this lookup has no ticket for this agency');
  const claim = await lookups.claim(lookup.lookupId, nodes);
  if (claim === 'gone') throw unknown();
  if (claim !== 'claimed')
    throw refusal(claim.place, 'this agency was asked twice already: open a new lookup');
}

const unknown = (): HitError =>
  new HitError('unknown-lookup', 'there is no such lookup, or it has expired: open a new one');

function refusal(place: number, detail: string): HitError {
  const field = `questions.${place}.node`;
  return new HitError('ticket-invalid', `${field}: ${detail}`, { fields: [{ field, detail }] });
}

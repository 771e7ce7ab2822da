import { HitError, SUBJECT_ACCESS_PURPOSE, fieldErrors } from '@hitmachine/protocol';
import type { LookupService } from './lookup.ts';
import { beginLookup } from './lookup.ts';
import { observed } from './observed-lookup.ts';
import type { AddressedRegister, LookupInput } from './lookup-input.ts';
import { lookupInputSchema } from './lookup-input.ts';
import type { Outcome } from './outcome.ts';

/** A citizen's request, as the privacy officer filled it in. */
export interface SubjectAccessRequest {
  readonly caseReference: string;
  /** Who asks, for the log. */
  readonly professional: string;
  readonly person: LookupInput['persons'][number];
}

/** Which agencies asked about a person, and up to when that is known. */
export interface SubjectAccessResult {
  readonly lookupId: string;
  /** Milliseconds since 1970. */
  readonly askedAt: number;
  /** By the name of the agency. */
  readonly answers: readonly { readonly agency: AddressedRegister['agency']; readonly outcome: Outcome }[];
  /** Agencies that should have been asked and could not be, by short name. */
  readonly missing: readonly string[];
}

/**
 * Asks every agency whether it asked about one person, through the same blind lookup as any other. Throws what
 * {@link beginLookup} throws, with fields such as `persons.0.bsn`, and what goes wrong on the way.
 */
export async function whoAskedAbout(
  service: LookupService,
  { caseReference, professional, person }: SubjectAccessRequest,
): Promise<SubjectAccessResult> {
  const input = lookupInputSchema.safeParse({
    purpose: SUBJECT_ACCESS_PURPOSE,
    caseReference,
    professional,
    role: 'privacy-officer',
    persons: [person],
  });
  if (!input.success) throw new HitError('field-invalid', undefined, { fields: fieldErrors(input.error) });
  const lookup = await observed(service, SUBJECT_ACCESS_PURPOSE, undefined, () =>
    beginLookup(service, input.data),
  );
  let lookupId = '';
  const answers: { agency: AddressedRegister['agency']; outcome: Outcome }[] = [];
  for await (const event of lookup.events)
    if (event.type === 'opened') lookupId = event.lookupId;
    else answers.push({ agency: event.register.agency, outcome: event.outcomes[0] as Outcome });
  answers.sort((a, b) => a.agency.name.localeCompare(b.agency.name));
  const missing = lookup.missing.map((name) => name.split('/', 1)[0] as string);
  return { lookupId, askedAt: lookup.askedAt, answers, missing: [...new Set(missing)] };
}

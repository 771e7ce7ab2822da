import type { LookupRequest } from '@hitmachine/protocol';
import { HitError, LIMITS, lookupRequestSchema, parseJson, utf8ToBytes } from '@hitmachine/protocol';
import type { LogSearch } from '../ports/log-search.ts';

/** What has to be the same for a question to be the same one, beside its registers. */
const SAME = [
  'elements',
  'tokenTypes',
  'persons',
  'purpose',
  'professional',
  'role',
  'caseCommitment',
  'statements',
  'approval',
  'breakGlass',
] as const;

/**
 * Whether a request puts a lookup once more that this agency asked a few minutes ago, byte for byte the same elements
 * at no other registers: then nothing can come of it but what was paid for, so that registers which did not answer are
 * asked again without a charge. It goes by the log, which every replica has. Throws `unknown-lookup` when there is no such
 * lookup any more, or `field-invalid` with the first field that is another.
 */
export async function requireSameQuestion(
  search: LogSearch,
  agency: string,
  lookupId: string,
  request: LookupRequest,
  now: number,
): Promise<void> {
  const found = await search.find({ lookupId, events: ['lookup'] }, undefined, 1);
  const entry = found.find((one) => one.entry.event === 'lookup' && one.entry.agency === agency)?.entry;
  if (entry?.event !== 'lookup' || entry.at + LIMITS.againMs < now)
    throw new HitError('unknown-lookup', 'again: you asked no such lookup lately: ask a new one');
  const before = parseJson(lookupRequestSchema, utf8ToBytes(entry.body));
  const refuse = (field: string, detail: string): HitError =>
    new HitError('field-invalid', `${field}: ${detail}`, { fields: [{ field, detail }] });
  if (before.again !== undefined) throw refuse('again', 'the first lookup of the question, not a later one');
  const other = SAME.find((name) => JSON.stringify(before[name]) !== JSON.stringify(request[name]));
  if (other !== undefined) throw refuse(other, 'not the same as in the lookup that "again" names');
  const place = request.registers.findIndex((name) => !before.registers.includes(name));
  if (place >= 0) throw refuse(`registers.${place}`, 'not asked in the lookup that "again" names');
}

import { purposeOf } from '@hitmachine/protocol';
import type { CheckedQuestion } from './lookup-check.ts';
import { checkQuestion } from './lookup-check.ts';
import type { LookupService } from './lookup.ts';
import type { LookupInput } from './lookup-input.ts';

/** Whether a second professional has to approve a question before it is asked. */
export function wantsApproval(
  { roster }: LookupService,
  { purpose, approval, breakGlass }: LookupInput,
): boolean {
  const wanted = purposeOf(roster.roster.policy, purpose)?.approval === 'second-professional';
  return wanted && approval === undefined && breakGlass === undefined;
}

/**
 * Who would be asked about where, and where not and why, before anything is asked or written down; a question that still
 * waits for its approval is looked at as if it had one. Throws what asking it would throw.
 */
export function previewQuestion(service: LookupService, input: LookupInput): CheckedQuestion {
  const { roster, askedAbout, clock } = service;
  const [role = input.role] = purposeOf(roster.roster.policy, input.purpose)?.askers.roles ?? [];
  const approved = wantsApproval(service, input)
    ? { ...input, approval: { professional: `not ${input.professional}`.slice(0, 200), role } }
    : input;
  return checkQuestion(roster, askedAbout, approved, clock());
}

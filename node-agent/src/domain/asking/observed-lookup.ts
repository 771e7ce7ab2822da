import type { TraceLink } from '@hitmachine/service';
import type { Clock } from '../../ports/clock.ts';
import type { AskedOutcome, Telemetry } from '../../ports/telemetry.ts';
import type { LookupEvent, LoggedLookup } from './lookup.ts';

interface ObservedDeps {
  readonly telemetry: Telemetry;
  readonly clock: Clock;
}

/**
 * Begins a lookup, and tells of how it went when it has ended: when, how long, complete or not. Whether somebody is
 * known is not looked at.
 */
export async function observed(
  { telemetry, clock }: ObservedDeps,
  purpose: string,
  caller: TraceLink | undefined,
  begin: () => LoggedLookup | Promise<LoggedLookup>,
): Promise<LoggedLookup> {
  const start = clock();
  const told = (outcome: AskedOutcome, lookupIds: readonly string[] = []): void =>
    telemetry.asked({ lookupIds, purpose, start, end: clock(), outcome, caller });
  let lookup: LoggedLookup;
  try {
    lookup = await begin();
  } catch (error) {
    told('refused');
    throw error;
  }
  return { ...lookup, events: watched(lookup, told) };
}

async function* watched(
  { events, missing }: LoggedLookup,
  told: (outcome: AskedOutcome, lookupIds: readonly string[]) => void,
): AsyncGenerator<LookupEvent> {
  const lookupIds: string[] = [];
  // Until it has come to its end, also for a reader who goes away before.
  let outcome: AskedOutcome = 'failed';
  let complete = missing.length === 0;
  try {
    for await (const event of events) {
      if (event.type === 'opened') lookupIds.push(event.lookupId);
      else complete &&= event.outcomes.every(({ status }) => status === 'known' || status === 'not-known');
      yield event;
    }
    outcome = complete ? 'complete' : 'incomplete';
  } finally {
    told(outcome, lookupIds);
  }
}

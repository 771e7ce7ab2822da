import { GATEWAY_RULES, HitError } from '@hitmachine/protocol';
import type { Caller } from './authentication.ts';
import type { RefusalLog, RefusedEvent } from './refusal-log.ts';

/**
 * Runs what an agency asked for; if it is refused, writes that down too and refuses all the same. A refusal gives
 * nothing away, so it goes out even when it cannot be logged.
 */
export async function loggingRefusals<T>(
  { refusals }: { readonly refusals: RefusalLog },
  event: RefusedEvent,
  caller: Caller,
  work: () => Promise<T>,
): Promise<T> {
  try {
    return await work();
  } catch (error) {
    const code = error instanceof HitError ? error.code : 'internal';
    const rule = GATEWAY_RULES.find((one) => error instanceof HitError && one === error.rule);
    await refusals.note({ event, agency: caller.agency.id, code, rule, signature: caller.signature });
    throw error;
  }
}

import * as protocol from '@hitmachine/protocol';
import { lookupCharges } from '../../gateway/src/domain/quotas.ts';
import { ruleAgainst, rulesFor } from '../../node-agent/src/domain/answering/node-rules.ts';

/** The code that decides, as gateway and nodes run it; a mutant of it has the same shape. */
export interface Evaluator {
  readonly checkLookup: typeof protocol.checkLookup;
  readonly lookupCharges: typeof lookupCharges;
  readonly ruleAgainst: typeof ruleAgainst;
  readonly rulesFor: typeof rulesFor;
  readonly isRoutedTo: typeof protocol.isRoutedTo;
  readonly mayUse: typeof protocol.mayUse;
  readonly nodeLimitOf: typeof protocol.nodeLimitOf;
}

export const EVALUATOR: Evaluator = { ...protocol, lookupCharges, ruleAgainst, rulesFor };

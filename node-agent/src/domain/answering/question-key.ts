import type { EvaluationKeys, Question, Ticket } from '@hitmachine/protocol';
import { checkQuestion, digestKeyOf } from '@hitmachine/protocol';

/**
 * Checks a question against its ticket, as {@link checkQuestion} does, and tells whether it is under the evaluation key of
 * the tables here (base64url; undefined while there are none). While the gateway's key changes it may be under the other
 * one of the two: it was put by a roster from just before the tables changed, or by the one that says that they do. That
 * is no fault of anybody, and no answer either. Throws what {@link checkQuestion} throws for any other question; `hash` is
 * as there.
 */
export function isUnderKeyOf(
  tables: string | undefined,
  keys: EvaluationKeys,
  ticket: Ticket,
  question: Question,
  hash?: (message: Uint8Array) => Uint8Array,
): boolean {
  const { evaluationKey, formerEvaluationKey } = keys;
  const check = (key: string): void => checkQuestion(ticket, question, digestKeyOf(keys, key), hash);
  const others = [evaluationKey, formerEvaluationKey].filter((key) => key !== undefined && key !== tables);
  const mayBeOther = tables === undefined || formerEvaluationKey !== undefined;
  let failure: unknown;
  for (const key of [tables, ...(mayBeOther ? others : [])])
    try {
      if (key === undefined) continue;
      check(key);
      return key === tables;
    } catch (error) {
      failure ??= error;
    }
  throw failure;
}

import type { EvaluationKeys, Question, Ticket } from '@hitmachine/protocol';
import { HitError, digestKeyOf, elementDigest, encodeBase64 } from '@hitmachine/protocol';
import { describe, expect, it } from 'vitest';
import { isUnderKeyOf } from '../../node-agent/src/domain/answering/question-key.ts';
import { backend } from './support/gateway.ts';

const { group } = backend;
const point = (fill: number): Uint8Array =>
  group.multiplyBase(group.reduceScalar(new Uint8Array(64).fill(fill)));
const [first, second, third] = [1, 2, 3].map((fill) => encodeBase64(point(fill))) as [string, string, string];
const elements = point(9);
const question: Question = { elements: [{ tokenType: 'bsn', elements }], registers: [] };

/** What a ticket has to do with it: how many persons, which registers, and the elements under a key. */
const ticketUnder = (keys: EvaluationKeys, key: string): Ticket =>
  ({
    persons: 1,
    registers: [],
    elementDigests: [{ tokenType: 'bsn', digest: elementDigest('bsn', elements, digestKeyOf(keys, key)) }],
  }) as unknown as Ticket;

describe('a question, by the evaluation key that its ticket is under', () => {
  const before = { evaluationKey: first };
  const during = { evaluationKey: second, evaluationVersion: 2, formerEvaluationKey: first };
  const after = { evaluationKey: second, evaluationVersion: 2 };
  const asked = (tables: string | undefined, keys: EvaluationKeys, under: string): unknown => {
    try {
      return isUnderKeyOf(tables, keys, ticketUnder(keys, under), question);
    } catch (error) {
      return error instanceof HitError ? error.code : error;
    }
  };

  it.each([
    ['fits tables of that key, before a change', first, before, first, true],
    ['during it, under the one before', first, during, first, true],
    ['under the one in force', second, during, second, true],
    ['and after it', second, after, second, true],
    ['is no fault but no answer, where the tables have just changed', second, during, first, false],
    ['or are about to', first, during, second, false],
    ['or where there are none yet', undefined, after, second, false],
    ['or none yet during a change', undefined, during, first, false],
    ['is refused under a key that is none of the two', first, during, third, 'ticket-invalid'],
    ['under any but that of the tables once the change is over', first, after, second, 'ticket-invalid'],
    ['also where there are no tables', undefined, after, first, 'ticket-invalid'],
  ] as const)('%s', (_name, tables, keys, under, what) => expect(asked(tables, keys, under)).toBe(what));

  it('is refused whatever the key, when it is not what the gateway evaluated', () => {
    const other: Question = { ...question, elements: [{ tokenType: 'bsn', elements: point(8) }] };
    for (const tables of [first, second, undefined])
      expect(() => isUnderKeyOf(tables, during, ticketUnder(during, second), other)).toThrow(HitError);
  });
});

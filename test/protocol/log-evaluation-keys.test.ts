import { encodeBase64 } from '@hitmachine/protocol';
import { beforeEach, describe, expect, test } from 'vitest';
import type { HandMade } from '../support/hand-made-log.ts';
import { GATEWAY_KEYS, begun, random, reasons } from '../support/hand-made-log.ts';

const [second, third] = [encodeBase64(random(32)), encodeBase64(random(32))];
const { evaluationKey: first } = GATEWAY_KEYS;
const during = { evaluationKey: second, evaluationVersion: 2, formerEvaluationKey: first };
const after = { evaluationKey: second, evaluationVersion: 2 };

let log: HandMade;
beforeEach(() => {
  log = begun();
});

describe('the evaluation key of the gateway, from roster to roster', () => {
  const shows = (keys: object): string[] => {
    log.gateway = { ...GATEWAY_KEYS, ...keys };
    return reasons(log.roster(['gateway-keys']));
  };

  test('changes to one that names the one before, and is told', () => {
    expect(shows(during)).toEqual([]);
    expect(log.check.notices.at(-1)?.reason).toBe(
      'the gateway has another evaluation key from here on, number 2',
    );
    const told = log.check.notices.length;
    expect(shows(after)).toEqual([]);
    expect(log.check.notices).toHaveLength(told);
    expect(shows({ evaluationKey: third, evaluationVersion: 3, formerEvaluationKey: second })).toEqual([]);
  });

  const jumped = ['it has a new evaluation key and does not name the one before it, with the next number'];
  test.each([
    ['one that names none', after],
    ['one that names another', { ...during, formerEvaluationKey: third }],
    ['one with the number of the one before', { evaluationKey: second, formerEvaluationKey: first }],
    ['one that leaves a number out', { ...during, evaluationVersion: 3 }],
  ])('is found out when it changes to %s', (_, keys) => expect(shows(keys)).toEqual(jumped));

  const otherwise = ['it tells otherwise of the evaluation key than the roster before it'];
  test.each([
    ['names another as the one before', { ...during, formerEvaluationKey: third }],
    ['gives it another number', { ...during, evaluationVersion: 3 }],
  ])('is found out when the next roster %s', (_, keys) => {
    expect(shows(during)).toEqual([]);
    expect(shows(keys)).toEqual(otherwise);
  });

  test('is found out when the one before comes back, once it was gone', () => {
    expect([...shows(during), ...shows(after)]).toEqual([]);
    expect(shows(during)).toEqual(otherwise);
    expect(shows({})).toEqual(jumped);
  });
});

import type { Policy } from '@hitmachine/protocol';
import {
  GATEWAY_KEY_ID,
  MEMBERS_KIND,
  OFFLINE_KEY_ID,
  POLICY_KIND,
  addSignature,
  encodeBase64,
  memberOf,
} from '@hitmachine/protocol';
import { beforeEach, describe, expect, test } from 'vitest';
import type { HandMade } from '../support/hand-made-log.ts';
import {
  GATEWAY_KEYS,
  POLICY,
  backend,
  begun,
  digestOf,
  id,
  random,
  reasons,
} from '../support/hand-made-log.ts';

let log: HandMade;
beforeEach(() => {
  log = begun();
});

const version = (number: number, change: Partial<Policy> = {}): Policy => ({
  ...POLICY,
  version: number,
  ...change,
});

describe('the policy that rosters carry', () => {
  test('may change where an entry tells of it', () => {
    expect([...log.policy(version(2)), ...log.roster(['policy'])]).toEqual([]);
    expect([...log.policy(version(5)), ...log.policy(version(5)), ...log.roster(['policy'])]).toEqual([]);
  });

  test('is found out when it was swapped in silence', () => {
    log.policyDocument = log.sign(POLICY_KIND, version(1, { logRetentionDays: 1 }));
    expect(reasons(log.roster(['policy']))).toEqual([
      'it carries the policy in a form that no entry before it tells of',
    ]);
    // Telling of it afterwards does not help.
    expect(reasons(log.policy(version(1, { logRetentionDays: 1 })))).toEqual([
      'it is version 1 of the policy, after version 1: versions only rise',
    ]);
  });

  test('does not go back to an older version', () => {
    const former = log.policyDocument;
    expect([...log.policy(version(2)), ...log.roster(['policy'])]).toEqual([]);
    log.policyDocument = former;
    expect(reasons(log.roster(['policy']))).toEqual([
      'it brings back version 1 of the policy, after version 2',
    ]);
  });

  test('is that of the federation', () => {
    log.policy(version(2, { federation: 'elders' }));
    expect(reasons(log.roster(['policy']))).toEqual(['the policy is that of another federation, elders']);
  });
});

describe('with an offline key', () => {
  const seed = random(32);
  const offlineKey = encodeBase64(backend.signatures.publicKey(seed));
  const gateway = { ...GATEWAY_KEYS, offlineKey };
  const key = { keyId: OFFLINE_KEY_ID, seed };
  const members = (number: number) =>
    addSignature(
      backend,
      MEMBERS_KIND,
      log.sign(MEMBERS_KIND, {
        format: 'hitmachine-members-1',
        federation: 'waalstad',
        version: number,
        gateway: log.gateway,
        agencies: log.agencies.map(memberOf),
      }),
      key,
    );
  const publish = (number: number): string[] => {
    const document = members(number);
    log.members = document;
    return reasons(
      log.add({
        event: 'members',
        version: number,
        digest: digestOf(document),
        signers: [GATEWAY_KEY_ID, OFFLINE_KEY_ID],
      }),
    );
  };

  beforeEach(() => {
    log.policy(version(2));
    log.policyDocument = addSignature(backend, POLICY_KIND, log.policyDocument, key);
    log.gateway = gateway;
    expect(publish(1)).toEqual([]);
    expect(log.roster(['gateway-keys', 'policy', 'members'])).toEqual([]);
  });

  test('a policy without its signature is found out', () => {
    log.policy(version(3));
    expect(reasons(log.roster(['policy']))).toEqual([
      'the policy is not signed with the pinned key of offline',
    ]);
  });

  test('an evaluation key that it did not vouch for is found out, in force or before', () => {
    const [own, other] = [gateway.evaluationKey, encodeBase64(random(32))];
    const complaint = ['the gateway has other keys than the list of members gives it'];
    for (const forged of [
      { evaluationKey: other, evaluationVersion: 2, formerEvaluationKey: own },
      { evaluationVersion: 2 },
      { formerEvaluationKey: other },
    ]) {
      log.gateway = { ...gateway, ...forged };
      expect(reasons(log.roster(['gateway-keys']))).toEqual(complaint);
    }
    log.gateway = { ...gateway, evaluationKey: other, evaluationVersion: 2, formerEvaluationKey: own };
    expect(publish(2)).toEqual([]);
    expect(log.roster(['gateway-keys', 'members'])).toEqual([]);
    // Forgotten by the gateway, which no list has to say; another one is none.
    log.gateway = { ...log.gateway, formerEvaluationKey: encodeBase64(random(32)) };
    expect(reasons(log.roster(['gateway-keys']))).toEqual(complaint);
    log.gateway = { ...gateway, evaluationKey: other, evaluationVersion: 2 };
    expect(log.roster(['gateway-keys'])).toEqual([]);
  });

  test('an agency that it did not vouch for is found out', () => {
    expect(log.enrol('wijkteam')).toEqual([]);
    expect(reasons(log.roster(['agencies', 'agency-keys', 'registers']))).toEqual([
      'wijkteam stands on the roster otherwise than on the list of members that the offline key signed',
    ]);
    expect(publish(2)).toEqual([]);
    expect(log.roster(['members', 'agencies', 'agency-keys', 'registers'])).toEqual([]);
  });

  test('a list of members that was rolled back, or put there in silence, is found out', () => {
    const former = log.members;
    expect([...publish(2), ...log.roster(['members'])]).toEqual([]);
    log.members = former;
    expect(reasons(log.roster(['members']))).toEqual([
      'it brings back version 1 of the list of members, after version 2',
    ]);
    log.members = members(3);
    expect(reasons(log.roster(['members']))).toEqual([
      'it carries the list of members in a form that no entry before it tells of',
    ]);
  });

  test('taking the key away is found out', () => {
    log.gateway = GATEWAY_KEYS;
    expect(reasons(log.roster(['gateway-keys']))).toEqual([
      'it names no offline key of the federation any more',
    ]);
  });
});

describe('a lookup in need', () => {
  const policy = version(2, {
    purposes: POLICY.purposes.map((purpose) => ({
      ...purpose,
      approval: 'second-professional',
      breakGlass: true,
    })),
  });
  const review = (lookupId: string, agency: string, reviewer = id()): string[] => {
    const body = JSON.stringify({ lookupId, verdict: 'justified', reviewer });
    const evidence = log.signed(agency, 'POST', '/v1/reviews', body);
    return reasons(log.add({ event: 'review', agency, body, evidence }));
  };

  beforeEach(() => {
    expect([...log.policy(policy), ...log.roster(['policy'])]).toEqual([]);
  });

  test('needs a policy that allows it, and one that needs approval has it', () => {
    const plain = reasons(log.add(log.lookup('politie')));
    expect(plain).toEqual([expect.stringContaining('approval: a second professional has to approve')]);
    expect(log.add(log.lookup('politie', { change: { breakGlass: true } }))).toEqual([]);
  });

  test('is reviewed once, by its own agency and by somebody else', () => {
    const professional = id();
    const lookup = log.lookup('politie', { change: { breakGlass: true, professional } });
    const none = `has no lookup ${lookup.lookupId} before it that was asked in need and is not reviewed yet`;
    expect(review(lookup.lookupId, 'politie')).toEqual([`politie ${none}`]);
    expect(log.add(lookup)).toEqual([]);
    expect(review(lookup.lookupId, 'ggz')).toEqual([`ggz ${none}`]);
    log.at += 30 * 86_400_000;
    expect(review(lookup.lookupId, 'politie')).toEqual([]);
    expect(review(lookup.lookupId, 'politie')).toEqual([`politie ${none}`]);
    const own = log.lookup('politie', { change: { breakGlass: true, professional } });
    expect(log.add(own)).toEqual([]);
    expect(review(own.lookupId, 'politie', professional)).toEqual(['who reviews the lookup is who asked it']);
  });
});

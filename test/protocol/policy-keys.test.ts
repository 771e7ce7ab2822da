import { describe, expect, it } from 'vitest';
import type { Agency, KeyChange, Members, RosterPayload, SignedDocument } from '@hitmachine/protocol';
import {
  GATEWAY_KEY_ID,
  MEMBERS_KIND,
  OFFLINE_KEY_ID,
  POLICY_KIND,
  addSignature,
  checkKeyChange,
  encodeBase64,
  fitsMember,
  memberOf,
  openRosterPayload,
  signDocument,
  signKeyChange,
} from '@hitmachine/protocol';
import { POLICY } from './policy-support.ts';
import { errorOf, expectCode, seeded, sodium } from './support.ts';

const seed = (label: string): Uint8Array => seeded(`policy keys ${label}`)(32);
const publicKey = (label: string): string => encodeBase64(sodium.signatures.publicKey(seed(label)));
const session = (label: string) => ({ kem: 'x25519' as const, publicKey: encodeBase64(seeded(label)(32)) });
const OF = { federation: 'waalstad', agency: 'politie' };
const FROM = 1_800_000_000_000;

const announced = {
  previousIdentityKey: publicKey('old'),
  identityKey: publicKey('new'),
  sessionKey: session('new session'),
  from: FROM,
};
const change = signKeyChange(sodium, OF, announced, { previous: seed('old'), next: seed('new') });

describe('a change of keys', () => {
  it('counts when both keys signed it', () => {
    expect(() => {
      checkKeyChange(sodium, OF, change);
    }).not.toThrow();
  });

  const forged = (by: { previous?: string; next?: string }): KeyChange =>
    signKeyChange(sodium, OF, announced, {
      previous: seed(by.previous ?? 'old'),
      next: seed(by.next ?? 'new'),
    });
  it.each<readonly [string, KeyChange]>([
    ['signed by a stranger in place of the agency', forged({ previous: 'thief' })],
    ['to a key that its announcer does not have', forged({ next: 'thief' })],
    ['with another key than was signed', { ...change, identityKey: publicKey('thief') }],
    ['with another session key', { ...change, sessionKey: session('thief') }],
    ['at another time', { ...change, from: FROM - 1 }],
    ['from another key', { ...change, previousIdentityKey: publicKey('thief') }],
    ['with the signatures exchanged', { ...change, signature: change.proof, proof: change.signature }],
  ])('counts for nothing when it is %s', (_, one) => {
    expectCode(() => {
      checkKeyChange(sodium, OF, one);
    }, 'signature-invalid');
  });

  it('counts for nothing at another agency or in another federation', () => {
    for (const of of [
      { ...OF, agency: 'ggz' },
      { ...OF, federation: 'elders' },
    ])
      expectCode(() => {
        checkKeyChange(sodium, of, change);
      }, 'signature-invalid');
  });
});

const agency = (extra: Partial<Agency> = {}): Agency => ({
  id: 'politie',
  name: 'Politie',
  kind: 'police',
  identityKey: publicKey('old'),
  sessionKey: session('old session'),
  registers: [],
  ...extra,
});
const changing = agency({ keyChange: change });
const renewed = agency({ identityKey: change.identityKey, sessionKey: change.sessionKey, keyChange: change });

describe('an agency and the list of members', () => {
  it.each<readonly [string, Agency, Agency, number, boolean]>([
    ['as listed', agency(), agency(), 0, true],
    ['with new keys, before the announced time', changing, renewed, FROM - 1, false],
    ['with new keys, from the announced time on', changing, renewed, FROM, true],
    ['with the old keys still', changing, changing, FROM, true],
    ['with new keys that nobody announced', agency(), renewed, FROM, false],
    ['with another identity key', agency(), agency({ identityKey: publicKey('thief') }), FROM, false],
    ['with another session key', agency(), agency({ sessionKey: session('thief') }), FROM, false],
    [
      'with the new identity and the old session key',
      changing,
      agency({ identityKey: change.identityKey }),
      FROM,
      false,
    ],
    ['under another name', agency(), agency({ name: 'Politie Oost' }), FROM, false],
    ['of another kind', agency(), agency({ kind: 'research' }), FROM, false],
  ])('%s', (_, listed, stands, at, fits) => {
    expect(fitsMember(memberOf(listed), stands, at)).toBe(fits);
  });

  it('registers are its own word', () => {
    expect(memberOf(agency())).not.toHaveProperty('registers');
  });
});

const signer = (label: string, keyId: string) => ({ keyId, seed: seed(label) });
const both = (kind: string, value: unknown, offline = 'offline'): SignedDocument =>
  addSignature(
    sodium,
    kind,
    signDocument(sodium, kind, value, signer('gateway', GATEWAY_KEY_ID)),
    signer(offline, OFFLINE_KEY_ID),
  );
const gateway = {
  identityKey: publicKey('gateway'),
  evaluationKey: encodeBase64(seeded('evaluation')(32)),
  offlineKey: publicKey('offline'),
};
const members = (extra: Partial<Members> = {}): Members => ({
  format: 'hitmachine-members-1',
  federation: 'waalstad',
  version: 4,
  gateway,
  agencies: [memberOf(agency())],
  ...extra,
});
const payload = (extra: Partial<RosterPayload> = {}): RosterPayload => ({
  format: 'hitmachine-roster-1',
  federation: 'waalstad',
  version: 9,
  issuedAt: FROM,
  gateway,
  policy: both(POLICY_KIND, POLICY),
  members: both(MEMBERS_KIND, members()),
  agencies: [agency()],
  ...extra,
});
const open = (extra: Partial<RosterPayload>) => openRosterPayload(sodium, payload(extra));

describe('a roster with an offline key', () => {
  it('opens with its policy when both keys signed what people decide', () => {
    expect(open({}).policy).toEqual(POLICY);
    expect(open({ agencies: [] }).agencies).toEqual([]);
  });

  it('opens with the gateway’s signature alone where there is no offline key', () => {
    const { offlineKey: _, ...without } = gateway;
    const alone = signDocument(sodium, POLICY_KIND, POLICY, signer('gateway', GATEWAY_KEY_ID));
    const { members: __, ...rest } = payload({ gateway: without, policy: alone });
    expect(openRosterPayload(sodium, rest).policy.version).toBe(POLICY.version);
  });

  const byGateway = (kind: string, value: unknown): SignedDocument =>
    signDocument(sodium, kind, value, signer('gateway', GATEWAY_KEY_ID));
  it.each<readonly [string, Partial<RosterPayload>, string]>([
    [
      'a policy that the gateway alone signed',
      { policy: byGateway(POLICY_KIND, POLICY) },
      'signature-invalid',
    ],
    [
      'a policy signed by another offline key',
      { policy: both(POLICY_KIND, POLICY, 'thief') },
      'signature-invalid',
    ],
    [
      'members that the gateway alone signed',
      { members: byGateway(MEMBERS_KIND, members()) },
      'signature-invalid',
    ],
    ['members signed as a policy', { members: both(POLICY_KIND, members()) }, 'signature-invalid'],
    [
      'a policy of another federation',
      { policy: both(POLICY_KIND, { ...POLICY, federation: 'elders' }) },
      'malformed',
    ],
    [
      'members of another federation',
      { members: both(MEMBERS_KIND, members({ federation: 'elders' })) },
      'malformed',
    ],
    [
      'another evaluation key than the members have',
      { gateway: { ...gateway, evaluationKey: encodeBase64(seeded('x')(32)) } },
      'malformed',
    ],
    ['an agency that is no member', { agencies: [agency(), agency({ id: 'circus' })] }, 'malformed'],
    ['an agency with other keys', { agencies: [agency({ identityKey: publicKey('thief') })] }, 'malformed'],
    ['an agency of another kind', { agencies: [agency({ kind: 'municipality' })] }, 'malformed'],
    ['members of before, rolled back, when keys have changed since', { agencies: [renewed] }, 'malformed'],
  ])('does not open with %s', (_, extra, code) => {
    expect(errorOf(() => open(extra)).code).toBe(code);
  });

  it('does not open without the list of members', () => {
    const { members: _, ...rest } = payload();
    expectCode(() => openRosterPayload(sodium, rest), 'signature-invalid');
  });

  it('opens with keys that were announced, from their time on', () => {
    const listed = both(MEMBERS_KIND, members({ agencies: [memberOf(changing)] }));
    expect(open({ members: listed, agencies: [renewed], issuedAt: FROM }).agencies).toHaveLength(1);
    expect(errorOf(() => open({ members: listed, agencies: [renewed], issuedAt: FROM - 1 })).code).toBe(
      'malformed',
    );
  });
});

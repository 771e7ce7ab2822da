import type { AnnouncedKeys, KeyChange, LogProblem } from '@hitmachine/protocol';
import { KEY_CHANGE_GRACE_MS, KEY_CHANGE_PATH, encodeBase64, signKeyChange } from '@hitmachine/protocol';
import { beforeEach, describe, expect, it } from 'vitest';
import type { HandMade } from '../support/hand-made-log.ts';
import { MINUTE, backend, begun, random, reasons } from '../support/hand-made-log.ts';

const DAY = 24 * 60 * MINUTE;
const OF = { federation: 'waalstad', agency: 'politie' };

let log: HandMade;
let old: Uint8Array;
let next: Uint8Array;
beforeEach(() => {
  log = begun();
  old = log.seeds.get('politie') as Uint8Array;
  next = random(32);
});

const keyOf = (seed: Uint8Array): string => encodeBase64(backend.signatures.publicKey(seed));

function changeFor(
  from: number,
  differ: Partial<AnnouncedKeys> = {},
  seeds = { previous: old, next },
): KeyChange {
  const sessionKey = { kem: 'x25519' as const, publicKey: encodeBase64(random(32)) };
  const announced = {
    previousIdentityKey: keyOf(old),
    identityKey: keyOf(next),
    sessionKey,
    from,
    ...differ,
  };
  return signKeyChange(backend, OF, announced, seeds);
}

/** The entry of an announcement, signed with the agency's key unless told. */
function announce(change: KeyChange, seed = old): LogProblem[] {
  log.keys.set('politie', [keyOf(old), keyOf(next)]);
  const body = JSON.stringify(change);
  const evidence = log.signed('politie', 'POST', KEY_CHANGE_PATH, body, { seed });
  return log.add({ event: 'key-change', agency: 'politie', body, evidence });
}

/** A roster on which the police stand with an announcement, and with the keys that it brings or those from before. */
function roster(keyChange: KeyChange, taken: boolean): LogProblem[] {
  const { identityKey, sessionKey } = keyChange;
  log.agencies = log.agencies.map((agency) =>
    agency.id === 'politie' ? { ...agency, keyChange, ...(taken && { identityKey, sessionKey }) } : agency,
  );
  return log.roster(['agency-keys']);
}

describe('keys that an agency announced', () => {
  it('come with the roster of the announced moment, and both count around it', () => {
    const change = changeFor(log.at + 7 * DAY);
    expect([...announce(change), ...roster(change, false)]).toEqual([]);
    log.at = change.from;
    // Signed from the announced moment on, before the roster was made.
    expect(log.add(log.lookup('politie', { seed: next }))).toEqual([]);
    expect(roster(change, true)).toEqual([]);
    expect(log.check.notices.at(-1)?.reason).toBe('politie changed its keys, as it had announced');
    log.at += KEY_CHANGE_GRACE_MS;
    expect(log.add(log.lookup('politie', { seed: old }))).toEqual([]);
    expect(log.add(log.lookup('politie', { seed: next }))).toEqual([]);
    log.at += 2 * MINUTE;
    expect(reasons(log.add(log.lookup('politie', { seed: old })))).toEqual([
      expect.stringContaining('a key that no longer counted: politie changed its keys at entry') as string,
    ]);
    expect(log.add(log.lookup('politie', { seed: next }))).toEqual([]);
  });

  it('may not be given before that moment', () => {
    const change = changeFor(log.at + 7 * DAY);
    announce(change);
    roster(change, false);
    log.at = change.from - 2 * MINUTE;
    expect(reasons(roster(change, true))).toEqual([
      expect.stringContaining('before the announced moment') as string,
    ]);
    expect(reasons(log.add(log.lookup('politie', { seed: next })))).toEqual([]);
  });

  it('do not count before it', () => {
    const change = changeFor(log.at + 7 * DAY);
    announce(change);
    log.at = change.from - 3 * MINUTE;
    expect(reasons(log.add(log.lookup('politie', { seed: next })))).not.toEqual([]);
  });

  it.each<[string, () => KeyChange, string]>([
    ['sooner than the policy wants', () => changeFor(log.at + 6 * DAY), 'the policy wants 7 days'],
    [
      'in the place of a key that it does not have',
      () => changeFor(log.at + 7 * DAY, { previousIdentityKey: keyOf(next) }, { previous: next, next }),
      'signed with another key of politie than the one that is to be replaced',
    ],
    [
      'by the new key alone',
      () => changeFor(log.at + 7 * DAY, {}, { previous: next, next }),
      'not signed with the previous key',
    ],
    [
      'without the new key',
      () => changeFor(log.at + 7 * DAY, {}, { previous: old, next: old }),
      'not signed with the new key',
    ],
    [
      'for another moment than was signed',
      () => ({ ...changeFor(log.at + 9 * DAY), from: log.at + 7 * DAY }),
      'not signed with the previous key',
    ],
  ])('may not be announced %s', (_, make, reason) => {
    expect(reasons(announce(make()))).toEqual([expect.stringContaining(reason) as string]);
  });

  it('are announced with the key of now, one change after the other', () => {
    const first = changeFor(log.at + 7 * DAY);
    expect(reasons(announce(first, next))).not.toEqual([]);
    log.at += MINUTE;
    expect(announce(first)).toEqual([]);
    log.at += MINUTE;
    expect(reasons(announce(changeFor(log.at + 9 * DAY)))).toEqual([
      expect.stringContaining('while another announcement is pending') as string,
    ]);
  });
});

describe('keys that nobody announced', () => {
  it('are a silent swap, also beside an announcement that the log does not have', () => {
    const change = changeFor(log.at + 7 * DAY);
    log.at = change.from;
    const problems = reasons(roster(change, true));
    expect(problems).toContain('it shows an announcement of new keys of politie that politie did not make');
    expect(problems).toContain('it gives politie a key with which politie never enrolled');
  });

  it('are not those of an announcement for other ones', () => {
    const change = changeFor(log.at + 7 * DAY);
    announce(change);
    log.at = change.from;
    const swapped = { kem: 'x25519' as const, publicKey: encodeBase64(random(32)) };
    log.agencies = log.agencies.map((agency) =>
      agency.id === 'politie'
        ? { ...agency, keyChange: change, identityKey: change.identityKey, sessionKey: swapped }
        : agency,
    );
    expect(reasons(log.roster(['agency-keys']))).not.toEqual([]);
  });

  it('are refused when an old announcement is replayed', () => {
    const first = changeFor(log.at + 7 * DAY);
    announce(first);
    log.at = first.from;
    expect(roster(first, true)).toEqual([]);
    // The gateway goes back to the key from before, which was perhaps stolen.
    const back = log.agencies.find(({ id }) => id === 'politie');
    log.at += DAY;
    log.agencies = log.agencies.map((agency) =>
      agency.id === 'politie' ? { ...agency, identityKey: first.previousIdentityKey } : agency,
    );
    expect(reasons(log.roster(['agency-keys']))).not.toEqual([]);
    expect(back).toBeDefined();
  });
});

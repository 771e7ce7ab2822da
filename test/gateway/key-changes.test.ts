import type { AnnouncedKeys, KeyChange } from '@hitmachine/protocol';
import { KEY_CHANGE_GRACE_MS, KEY_CHANGE_PATH, encodeBase64, signKeyChange } from '@hitmachine/protocol';
import { beforeEach, describe, expect, it } from 'vitest';
import { entryEvidence } from '../../gateway/src/domain/entry-evidence.ts';
import { TestAgency, sessionKey } from './support/agency.ts';
import { POLICY, backend, problem, random } from './support/fixtures.ts';
import { TestGateway } from './support/gateway.ts';

const DAY = 86_400_000;
const AHEAD = POLICY.keyOverlapDays * DAY;

let gateway: TestGateway;
let police: TestAgency;
let renewed: TestAgency;
beforeEach(async () => {
  gateway = await TestGateway.make();
  police = await gateway.enrolled('politie');
  renewed = new TestAgency('politie', police.send, police.now, random(32));
});

const NEW_SESSION = { ...sessionKey, publicKey: encodeBase64(new Uint8Array(32).fill(8)) };

function changeOf(
  differ: Partial<AnnouncedKeys> = {},
  seeds: { previous?: Uint8Array; next?: Uint8Array } = {},
): KeyChange {
  return signKeyChange(
    backend,
    { federation: POLICY.federation, agency: 'politie' },
    {
      previousIdentityKey: police.identityKey,
      identityKey: renewed.identityKey,
      sessionKey: NEW_SESSION,
      from: gateway.clock.time + AHEAD,
      ...differ,
    },
    { previous: seeds.previous ?? police.seed, next: seeds.next ?? renewed.seed },
  );
}
const announce = (change: KeyChange, by = police): Promise<Response> =>
  by.call('POST', KEY_CHANGE_PATH, change);
const entry = async () => {
  const { roster } = await gateway.deps.roster.refresh();
  return roster.agencies.find(({ id }) => id === 'politie');
};
const ask = (by: TestAgency): Promise<Response> => by.call('PUT', '/v1/registers', { registers: [] });

describe('an announcement of new keys', () => {
  it('stands in the log and on the roster, and takes effect at its moment', async () => {
    const change = changeOf();
    expect((await announce(change)).status).toBe(200);
    expect(await entry()).toMatchObject({ identityKey: police.identityKey, keyChange: change });
    expect((await gateway.audit()).filter(({ event }) => event === 'key-change')).toHaveLength(1);
    expect((await ask(renewed)).status).toBe(401);

    gateway.clock.time = change.from - 1;
    expect((await ask(renewed)).status).toBe(401);
    gateway.clock.time = change.from;
    expect(await entry()).toMatchObject({
      identityKey: renewed.identityKey,
      sessionKey: NEW_SESSION,
      keyChange: change,
    });
    expect([(await ask(renewed)).status, (await ask(police)).status]).toEqual([200, 200]);
    gateway.clock.time = change.from + KEY_CHANGE_GRACE_MS;
    expect((await ask(police)).status).toBe(200);
    gateway.clock.time++;
    expect([(await ask(renewed)).status, (await ask(police)).status]).toEqual([200, 401]);
  });

  it('may be repeated, and changes nothing then', async () => {
    const change = changeOf();
    await announce(change);
    gateway.clock.time += 1_000;
    expect((await announce(change)).status).toBe(200);
    expect((await gateway.audit()).filter(({ event }) => event === 'key-change')).toHaveLength(1);
  });

  it('is followed by the next one once it is over, which also is checked by an auditor', async () => {
    const change = changeOf();
    await announce(change);
    gateway.clock.time = change.from + KEY_CHANGE_GRACE_MS + 1;
    const third = random(32);
    const second = changeOf(
      {
        previousIdentityKey: renewed.identityKey,
        identityKey: encodeBase64(backend.signatures.publicKey(third)),
      },
      { previous: renewed.seed, next: third },
    );
    expect((await announce(second, renewed)).status).toBe(200);
    expect(await entry()).toMatchObject({ identityKey: renewed.identityKey, keyChange: second });
    const index = (await gateway.audit()).findLastIndex(({ event }) => event === 'key-change');
    const { signed } = await entryEvidence(gateway.deps, index);
    expect(signed).toMatchObject({ key: renewed.identityKey, onRoster: true });
    expect(signed?.request).toBeDefined();
  });

  it.each<[string, () => Promise<Response>, string, string]>([
    [
      'for too soon',
      () => announce(changeOf({ from: gateway.clock.time + AHEAD - 1 })),
      'field-invalid',
      'from',
    ],
    [
      'for a far day',
      () => announce(changeOf({ from: gateway.clock.time + 400 * DAY })),
      'field-invalid',
      'from',
    ],
    [
      'in the place of another key',
      () => announce(changeOf({ previousIdentityKey: renewed.identityKey }, { previous: renewed.seed })),
      'field-invalid',
      'previousIdentityKey',
    ],
    [
      'of the same key',
      () => announce(changeOf({ identityKey: police.identityKey }, { next: police.seed })),
      'field-invalid',
      'identityKey',
    ],
    [
      'that the new key did not sign',
      () => announce(changeOf({}, { next: random(32) })),
      'signature-invalid',
      'new key',
    ],
    [
      'that the present key did not sign',
      () => announce(changeOf({}, { previous: renewed.seed })),
      'signature-invalid',
      'previous key',
    ],
    ['in a request of the new key', () => announce(changeOf(), renewed), 'signature-invalid', ''],
    [
      'whose moment was moved',
      () => announce({ ...changeOf(), from: gateway.clock.time + AHEAD + 1 }),
      'signature-invalid',
      'previous key',
    ],
  ])('is refused %s', async (_, send, code, detail) => {
    expect(await problem(await send())).toMatchObject({
      code,
      detail: expect.stringContaining(detail) as string,
    });
    expect(await entry()).not.toHaveProperty('keyChange');
  });

  it('is refused while another is pending, and with the key from before', async () => {
    const change = changeOf();
    await announce(change);
    const other = changeOf({ from: change.from + DAY });
    expect(await problem(await announce(other))).toMatchObject({ code: 'already-exists' });
    gateway.clock.time = change.from + 1_000;
    expect(await problem(await announce(other))).toMatchObject({ code: 'signature-invalid' });
  });

  it('is given up by enrolling again, as after a theft of the key', async () => {
    await announce(changeOf());
    const again = new TestAgency('politie', police.send, police.now, random(32));
    expect((await again.enrol(await gateway.invite('politie'))).status).toBe(201);
    expect(await entry()).not.toHaveProperty('keyChange');
    gateway.clock.time += AHEAD + DAY;
    expect(await entry()).toMatchObject({ identityKey: again.identityKey });
    expect((await ask(renewed)).status).toBe(401);
  });
});

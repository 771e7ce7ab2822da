import type { Policy, Roster, SignedDocument } from '@hitmachine/protocol';
import {
  GATEWAY_KEY_ID,
  LogCheck,
  MEMBERS_KIND,
  OFFLINE_KEY_ID,
  POLICY_KIND,
  ROSTER_KIND,
  Secret,
  addSignature,
  checkEntry,
  decodeBase64,
  encodeBase64,
  openRoster,
  signDocument,
} from '@hitmachine/protocol';
import { beforeEach, describe, expect, it } from 'vitest';
import { MemoryDirectory } from '../../gateway/src/adapters/memory/directory.ts';
import { gatewayKeys } from '../../gateway/src/domain/keys.ts';
import { RosterKeeper } from '../../gateway/src/domain/roster-keeper.ts';
import { prepareMembers, publishMembers } from '../../gateway/src/domain/members.ts';
import { publishPolicy, signPolicy } from '../../gateway/src/domain/policies.ts';
import type { StoredDocument } from '../../gateway/src/ports/directory.ts';
import { sha256 } from '../../gateway/src/domain/sha256.ts';
import { federationKeys } from '../../gateway/src/domain/members.ts';
import { POLICY, SEEDS, backend, random } from './support/fixtures.ts';
import { TestGateway } from './support/gateway.ts';
import { signersOf } from '@hitmachine/protocol';

/** A directory in the hands of who runs the gateway: it gives out what he likes. */
class OwnedDirectory extends MemoryDirectory {
  policy: StoredDocument | undefined;
  members: StoredDocument | undefined;
  withoutOfflineKey = false;

  override async latestPolicy(): Promise<StoredDocument | undefined> {
    return this.policy ?? (await super.latestPolicy());
  }
  override async latestMembers(): Promise<StoredDocument | undefined> {
    return this.members ?? (await super.latestMembers());
  }
  override async offlineKey(): Promise<string | undefined> {
    return this.withoutOfflineKey ? undefined : super.offlineKey();
  }
}

const key = { keyId: GATEWAY_KEY_ID, seed: SEEDS.identitySeed.reveal() };
const offline = { keyId: OFFLINE_KEY_ID, seed: random(32) };
const offlineKey = encodeBase64(backend.signatures.publicKey(offline.seed));
const lax: Policy = { ...POLICY, quotas: { agency: { day: 1_000_000 }, professional: { day: 1_000_000 } } };

let directory: OwnedDirectory;
let gateway: TestGateway;

beforeEach(async () => {
  directory = new OwnedDirectory();
  gateway = await TestGateway.make({ directory });
});

/** What an auditor finds in the whole log of this gateway, with the rosters that it stored. */
async function found(): Promise<string[]> {
  const { keys, auditLog } = gateway.deps;
  const rosters = new Map<number, SignedDocument>();
  for (let version = 1; ; version++) {
    const stored = await directory.roster(version);
    if (stored === undefined) break;
    rosters.set(version, stored.document);
  }
  const agencyKeys = gateway.deps.roster.current.roster.agencies;
  const check = new LogCheck({
    backend,
    federation: 'waalstad',
    publicKey: keys.identityKey,
    roster: (version) => rosters.get(version),
  });
  const problems = (await auditLog.leaves(0, 1_000)).flatMap((leaf) =>
    check.add(
      checkEntry(backend, leaf, (agency) =>
        agencyKeys.filter(({ id }) => id === agency).map(({ identityKey }) => identityKey),
      ),
    ),
  );
  // The memory gateway of these tests does not write the opening of its log.
  return problems.map(({ reason }) => reason).filter((reason) => !reason.includes('"log-opened"'));
}

const publish = (version: number, change: Partial<Policy> = {}, sign = (one: SignedDocument) => one) =>
  publishPolicy(
    gateway.deps,
    sign(signPolicy(gateway.deps, { ...POLICY, ...change, version })),
    signersOf(federationKeys(gateway.deps.keys, undefined)),
    'waalstad',
  );
const current = (): Roster => gateway.deps.roster.current.roster;

describe('who runs the gateway', () => {
  it('changes nothing that is found while it goes by the rules', async () => {
    await publish(2);
    await gateway.deps.roster.refresh();
    await gateway.enrolled('politie');
    expect(await found()).toEqual([]);
  });

  it('cannot swap the policy in silence', async () => {
    directory.policy = {
      version: 2,
      document: signDocument(backend, POLICY_KIND, { ...lax, version: 2 }, key),
    };
    await gateway.deps.roster.refresh();
    expect(current().policy.quotas).toEqual(lax.quotas);
    expect(await found()).toEqual(['it carries the policy in a form that no entry before it tells of']);
  });

  it('cannot show an old policy again', async () => {
    const former = await directory.latestPolicy();
    await publish(2);
    await gateway.deps.roster.refresh();
    expect(current().policy.version).toBe(2);
    directory.policy = former;
    await gateway.deps.roster.refresh();
    expect(await found()).toEqual(['it brings back version 1 of the policy, after version 2']);
  });

  it('cannot use the policy of another federation', async () => {
    const other = signDocument(backend, POLICY_KIND, { ...lax, version: 2, federation: 'elders' }, key);
    await expect(
      publishPolicy(gateway.deps, other, signersOf(federationKeys(gateway.deps.keys, undefined)), 'waalstad'),
    ).rejects.toMatchObject({ code: 'config-invalid' });
    directory.policy = { version: 2, document: other };
    await expect(gateway.deps.roster.refresh()).rejects.toMatchObject({ code: 'malformed' });
    expect(current().policy.version).toBe(1);
    // Nor does an agency take a roster that carries it.
    const payload = JSON.parse(
      new TextDecoder().decode(decodeBase64(gateway.deps.roster.current.document.payload)),
    ) as object;
    const document = signDocument(backend, ROSTER_KIND, { ...payload, policy: other }, key);
    expect(() => openRoster(backend, document, gateway.deps.keys.identityKey)).toThrow('another federation');
  });
});

describe('who runs the gateway of a federation with an offline key', () => {
  const both = (document: SignedDocument, kind = POLICY_KIND) =>
    addSignature(backend, kind, document, offline);
  const publishSigned = async (): Promise<void> => {
    const { document } = await prepareMembers(gateway.deps, 'waalstad');
    await publishMembers(gateway.deps, both(document, MEMBERS_KIND), 'waalstad');
    await gateway.deps.roster.refresh();
  };

  beforeEach(async () => {
    await directory.useOfflineKey(offlineKey);
    await publish(2, {}, both);
    await publishSigned();
    expect(current().gateway.offlineKey).toBe(offlineKey);
  });

  it('cannot put a policy in force alone', async () => {
    await expect(
      publishPolicy(
        gateway.deps,
        signPolicy(gateway.deps, { ...lax, version: 3 }),
        signersOf(federationKeys(gateway.deps.keys, offlineKey)),
        'waalstad',
      ),
    ).rejects.toMatchObject({ code: 'signature-invalid' });
    directory.policy = {
      version: 3,
      document: signDocument(backend, POLICY_KIND, { ...lax, version: 3 }, key),
    };
    await gateway.deps.roster.refresh();
    expect(current().policy.version).toBe(2);
    expect(await found()).toEqual([]);
  });

  it('cannot add an agency or give one other keys alone', async () => {
    const agency = gateway.enrolled('schaduw');
    await expect(agency).resolves.toBeDefined();
    expect(current().agencies).toEqual([]);
    const payload = JSON.parse(
      new TextDecoder().decode(decodeBase64(gateway.deps.roster.current.document.payload)),
    ) as { agencies: object[]; version: number };
    const [invented] = (await directory.agencies()).flatMap((one) => {
      const { id, name, kind, enrolment } = one;
      if (enrolment === undefined) return [];
      const { identityKey, sessionKey, registers } = enrolment;
      return [{ id, name, kind, identityKey: encodeBase64(identityKey), sessionKey, registers }];
    });
    const version = payload.version + 1;
    const document = signDocument(backend, ROSTER_KIND, { ...payload, version, agencies: [invented] }, key);
    expect(() => openRoster(backend, document, gateway.deps.keys.identityKey)).toThrow(
      'schaduw stands on the roster',
    );
    await directory.saveRoster({ version, document });
    await gateway.deps.auditLog.append(gateway.clock.now(), {
      event: 'roster',
      version,
      digest: encodeBase64(sha256(decodeBase64(document.payload))),
      changed: ['agencies', 'agency-keys', 'registers'],
    });
    expect(await found()).toEqual([
      'schaduw stands on the roster otherwise than on the list of members that the offline key signed',
    ]);
  });

  it('has a new evaluation key in force where a replica holds it, and no other list puts one in force', async () => {
    const keys = gatewayKeys(backend, { ...SEEDS, nextEvaluationSeed: new Secret(random(32)) });
    const [first, next] = keys.evaluations.map((one) => one.key);
    const deps = { ...gateway.deps, keys };
    const { document } = await prepareMembers(deps, 'waalstad', next);
    await expect(publishMembers(deps, document, 'waalstad', next)).rejects.toMatchObject({
      code: 'signature-invalid',
    });
    const signed = both(document, MEMBERS_KIND);
    await expect(publishMembers(deps, signed, 'waalstad')).rejects.toThrow('keys rotate --activate FILE');
    const ordinary = both((await prepareMembers(deps, 'waalstad')).document, MEMBERS_KIND);
    await expect(publishMembers(deps, ordinary, 'waalstad', next)).rejects.toThrow(
      'does not put the new evaluation key in force',
    );
    await publishMembers(deps, signed, 'waalstad', next);
    // This one does not hold it: its roster stays as it was, until another has made the next.
    const { version } = current();
    await gateway.deps.roster.refresh();
    expect(current()).toMatchObject({ version, gateway: { evaluationKey: first } });
    await RosterKeeper.open({ ...deps, federation: 'waalstad' });
    for (let i = 0; i < 3; i++) await gateway.deps.roster.refresh();
    expect(current()).toMatchObject({
      version: version + 1,
      gateway: { evaluationKey: next, evaluationVersion: 2, formerEvaluationKey: first },
    });
    expect(await found()).toEqual([]);
  });

  it('cannot roll back the list of members', async () => {
    await gateway.enrolled('politie');
    const former = await directory.latestMembers();
    await publishSigned();
    expect(current().agencies.map(({ id }) => id)).toEqual(['politie']);
    directory.members = former;
    await gateway.deps.roster.refresh();
    expect(await found()).toContain('it brings back version 1 of the list of members, after version 2');
  });

  it('cannot take the offline key away in silence', async () => {
    directory.withoutOfflineKey = true;
    await gateway.deps.roster.refresh();
    expect(await found()).toContain('it names no offline key of the federation any more');
  });
});

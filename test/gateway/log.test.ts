import type { Logged, LoggedLookups, LookupOpened, TreeHead } from '@hitmachine/protocol';
import {
  HitError,
  checkLoggedRequest,
  decodeBase64,
  decodeEntry,
  encodeBase64,
  leafHash,
  logOrigin,
  openCheckpoint,
  openRoster,
  utf8ToBytes,
  verifyConsistency,
  verifyInclusion,
  verifyReceipt,
} from '@hitmachine/protocol';
import { describe, expect, it } from 'vitest';
import { MemoryAuditLog } from '../../gateway/src/adapters/memory/audit-log.ts';
import { CheckpointSigner } from '../../gateway/src/domain/checkpoint-signer.ts';
import { sha256 } from '../../gateway/src/domain/sha256.ts';
import type { TestAgency } from './support/agency.ts';
import { POLICY, backend, problem } from './support/fixtures.ts';
import { questionsRequest } from './support/questions.ts';
import { TestGateway } from './support/gateway.ts';

const origin = logOrigin(POLICY.federation);
const keyOf = (gateway: TestGateway) => ({ origin, publicKey: gateway.deps.keys.identityKey });

async function publish(gateway: TestGateway): Promise<TreeHead> {
  const { head, note } = await gateway.deps.checkpoints.current();
  await gateway.deps.published.save({ size: head.size, at: gateway.clock.time, note });
  return head;
}

describe('the log', () => {
  it('gives the asker a receipt that holds, over an entry with its own signed request', async () => {
    const gateway = await TestGateway.make();
    const politie = await gateway.enrolled('politie');
    const parts = politie.sign('POST', '/v1/lookups', politie.lookup(gateway.version));
    const opened = (await (await politie.post(parts)).json()) as LookupOpened;
    const leaf = decodeBase64(opened.logged.entry);
    const { index } = verifyReceipt(backend, keyOf(gateway), leaf, opened.logged.receipt);
    const entry = decodeEntry(leaf);
    expect(entry).toEqual((await gateway.audit())[index]);
    if (entry.event !== 'lookup') throw new Error('no lookup');
    const checked = checkLoggedRequest(backend, decodeBase64(politie.identityKey), 'politie', {
      base: decodeBase64(entry.evidence.base),
      signature: decodeBase64(entry.evidence.signature),
      body: utf8ToBytes(entry.body),
    });
    expect(checked).toMatchObject({ method: 'POST', path: '/v1/lookups', keyId: 'politie' });
    expect(utf8ToBytes(entry.body)).toEqual(parts.body);
  });

  it('can be checked to hold no lookup that its agency did not ask, and none other than it asked', async () => {
    const gateway = await TestGateway.make();
    const politie = await gateway.enrolled('politie');
    const opened = await politie.opened(gateway.version);
    const entry = decodeEntry(decodeBase64(opened.logged.entry));
    if (entry.event !== 'lookup') throw new Error('no lookup');
    const kept = {
      base: decodeBase64(entry.evidence.base),
      signature: decodeBase64(entry.evidence.signature),
      body: utf8ToBytes(entry.body),
    };
    const key = decodeBase64(politie.identityKey);
    const check =
      (change: object, id = 'politie', publicKey = key) =>
      () =>
        checkLoggedRequest(backend, publicKey, id, { ...kept, ...change });
    expect(check({})).not.toThrow();
    expect(check({ body: utf8ToBytes(entry.body.replace('"persons":1', '"persons":2')) })).toThrow(
      'the body is not the one that politie signed',
    );
    expect(
      check({ base: utf8ToBytes(Buffer.from(kept.base).toString().replace('lookups', 'tables')) }),
    ).toThrow('the signature is not that of politie');
    expect(check({}, 'ggz')).toThrow('signed by politie, not by ggz');
    expect(check({}, 'politie', gateway.deps.keys.identityKey)).toThrow('not that of politie');
    expect(check({ base: utf8ToBytes('x') })).toThrow('not of our profile');
  });

  it('names every roster that came into force, before it did', async () => {
    const gateway = await TestGateway.make();
    await gateway.enrolled('politie');
    const rosters = (await gateway.audit()).flatMap((entry) => (entry.event === 'roster' ? [entry] : []));
    expect(rosters.map(({ version }) => version)).toEqual([1, 2]);
    expect(rosters[1]?.changed).toEqual(['agencies', 'agency-keys', 'registers']);
    const { document } = gateway.deps.roster.current;
    expect(openRoster(backend, document, gateway.deps.keys.identityKey).version).toBe(2);
    expect(sha256(decodeBase64(document.payload))).toEqual(decodeBase64(rosters[1]?.digest ?? ''));
  });

  it('makes no roster that it cannot log', async () => {
    class FullDisk extends MemoryAuditLog {
      full = false;
      override append(...entry: Parameters<MemoryAuditLog['append']>): ReturnType<MemoryAuditLog['append']> {
        return this.full ? Promise.reject(new HitError('storage-failed')) : super.append(...entry);
      }
    }
    const auditLog = new FullDisk();
    const gateway = await TestGateway.make({ auditLog });
    const secret = await gateway.invite('politie');
    await gateway.deps.directory.enrol('politie', sha256(secret), {
      identityKey: new Uint8Array(32).fill(1),
      sessionKey: { kem: 'x25519', publicKey: 'CQkJCQkJCQkJCQkJCQkJCQkJCQkJCQkJCQkJCQkJCQk' },
      registers: [],
    });
    auditLog.full = true;
    await expect(gateway.deps.roster.refresh()).rejects.toMatchObject({ code: 'storage-failed' });
    expect(gateway.version).toBe(1);
    auditLog.full = false;
    await gateway.deps.roster.refresh();
    expect(gateway.version).toBe(2);
    const versions = (await gateway.audit()).flatMap((entry) =>
      entry.event === 'roster' ? entry.version : [],
    );
    expect(versions).toEqual([1, 2]);
  });

  it('signs one checkpoint for all that ask between two entries', async () => {
    const gateway = await TestGateway.make();
    const signer = new CheckpointSigner({ ...gateway.deps, federation: POLICY.federation });
    const [first, second] = [await signer.current(), await signer.current()];
    expect(second).toBe(first);
    await gateway.invite('politie');
    expect((await signer.current()).head.size).toBe(first.head.size + 1);
  });
});

describe('GET /v1/log/checkpoint', () => {
  it('gives the latest published checkpoint, and 404 before the first', async () => {
    const gateway = await TestGateway.make();
    expect(await problem(await gateway.request('/v1/log/checkpoint'))).toMatchObject({ status: 404 });
    const head = await publish(gateway);
    const response = await gateway.request('/v1/log/checkpoint');
    expect(response.headers.get('content-type')).toContain('text/plain');
    expect(openCheckpoint(backend, await response.text(), keyOf(gateway)).head).toEqual(head);
  });
});

describe('GET /v1/log/consistency', () => {
  it('proves that the log only grew', async () => {
    const gateway = await TestGateway.make();
    const old = await gateway.deps.auditLog.head();
    await gateway.enrolled('politie');
    await gateway.enrolled('ggz');
    const now = await gateway.deps.auditLog.head();
    const response = await gateway.request(`/v1/log/consistency?old=${old.size}&new=${now.size}`);
    const { proof } = (await response.json()) as { proof: string[] };
    const hashes = proof.map((hash) => decodeBase64(hash, 32));
    expect(() => verifyConsistency(old, now, hashes)).not.toThrow();
    expect(() => verifyConsistency({ ...old, root: leafHash(old.root) }, now, hashes)).toThrow();
  });

  it.each([
    ['old=1', 'new'],
    ['old=x&new=1', 'old'],
    ['old=-1&new=1', 'old'],
    ['old=0&new=1000000', 'new'],
    ['old=2&new=1', 'old'],
  ])('refuses %s, naming %s', async (query, field) => {
    const gateway = await TestGateway.make();
    await gateway.invite('politie');
    const refused = await problem(await gateway.request(`/v1/log/consistency?${query}`));
    expect(refused).toMatchObject({ status: 400, code: 'field-invalid', fields: [{ field }] });
  });
});

describe('POST /v1/log/lookups', () => {
  it('gives an agency what it may see of many lookups, under one checkpoint, in the order of the request', async () => {
    const gateway = await TestGateway.make();
    const [politie, ggz] = [
      await gateway.enrolled('politie'),
      await gateway.enrolled('ggz', ['volwassenen']),
    ];
    const open = () => politie.opened(gateway.version, { registers: ['ggz/volwassenen'] });
    const [first, second, unanswered] = [await open(), await open(), await open()];
    for (const opened of [first, second]) {
      const questions = questionsRequest(opened, ['ggz']);
      await (await gateway.request(`/v1/lookups/${opened.lookupId}/questions`, questions)).arrayBuffer();
    }
    const nowhere = 'AAAAAAAAAAAAAAAAAAAAAA';
    const lookupIds = [second.lookupId, nowhere, unanswered.lookupId, first.lookupId];
    const path = '/v1/log/lookups';
    const shown = async (agency: TestAgency) => {
      const response = await agency.call('POST', path, { lookupIds });
      expect(response.status).toBe(200);
      return (await response.json()) as LoggedLookups;
    };
    expect(await shown(politie)).toEqual({ lookups: [null, null, null, null] });
    await publish(gateway);
    const late = await open();
    lookupIds.push(late.lookupId);
    const entries = async (agency: TestAgency) => {
      const { checkpoint = '', lookups } = await shown(agency);
      const { head } = openCheckpoint(backend, checkpoint, keyOf(gateway));
      return lookups.map((one) => {
        if (one === null) return null;
        const leaf = decodeBase64(one.entry);
        verifyInclusion(
          head,
          one.index,
          leafHash(leaf),
          one.proof.map((hash) => decodeBase64(hash)),
        );
        const entry = decodeEntry(leaf) as { event: string; lookupId: string };
        return [entry.event, entry.lookupId];
      });
    };
    const [a, , c, b] = lookupIds;
    expect(await entries(politie)).toEqual([['lookup', a], null, ['lookup', c], ['lookup', b], null]);
    // Who was asked gets to see that it was, and nothing of a lookup that did not come to it.
    expect(await entries(ggz)).toEqual([['answer', a], null, null, ['answer', b], null]);
  });

  it.each([
    ['none', []],
    ['more than a hundred', Array.from({ length: 101 }, () => 'AAAAAAAAAAAAAAAAAAAAAA')],
    ['what is no identifier', ['1']],
  ])('refuses %s', async (_what, lookupIds) => {
    const gateway = await TestGateway.make();
    const politie = await gateway.enrolled('politie');
    const refused = await problem(await politie.call('POST', '/v1/log/lookups', { lookupIds }));
    expect(refused).toMatchObject({ status: 400, code: 'field-invalid' });
  });
});

describe('GET /v1/log/lookups/{lookupId}', () => {
  it('gives entry and receipt to who asked and who was asked, and 404 to all others', async () => {
    const gateway = await TestGateway.make();
    const [politie, ggz, wonen] = [
      await gateway.enrolled('politie'),
      await gateway.enrolled('ggz', ['volwassenen']),
      await gateway.enrolled('wonen'),
    ];
    const opened = await politie.opened(gateway.version, { registers: ['ggz/volwassenen'] });
    const questions = questionsRequest(opened, ['ggz']);
    await (await gateway.request(`/v1/lookups/${opened.lookupId}/questions`, questions)).arrayBuffer();
    const path = `/v1/log/lookups/${opened.lookupId}`;
    expect(await problem(await politie.call('GET', path))).toMatchObject({ status: 404 });
    await publish(gateway);
    const shown = async (agency: TestAgency) => {
      const response = await agency.call('GET', path);
      expect(response.status).toBe(200);
      const { entry, receipt } = (await response.json()) as Logged;
      verifyReceipt(backend, keyOf(gateway), decodeBase64(entry), receipt);
      return entry;
    };
    expect(await shown(politie)).toBe(opened.logged.entry);
    // Who was asked gets to see that it was, and not who else.
    const { evidence } = decodeEntry(decodeBase64(opened.logged.entry)) as { evidence: { base: string } };
    expect(decodeEntry(decodeBase64(await shown(ggz)))).toMatchObject({
      event: 'answer',
      agency: 'politie',
      node: 'ggz',
      request: encodeBase64(sha256(decodeBase64(evidence.base))),
      outcome: 'not-connected',
    });
    expect(await problem(await wonen.call('GET', path))).toMatchObject({ status: 404, code: 'not-found' });
    expect(await problem(await gateway.request(path))).toMatchObject({ status: 401 });
    const unknown = await politie.call('GET', '/v1/log/lookups/AAAAAAAAAAAAAAAAAAAAAA');
    expect(await problem(unknown)).toMatchObject({ status: 404 });
  });
});

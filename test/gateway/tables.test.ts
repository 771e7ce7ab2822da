import type { ErrorCode, Logged, TableCommitment } from '@hitmachine/protocol';
import {
  HitError,
  LIMITS,
  MAX_ENTRY_BYTES,
  TABLES_PATH,
  decodeBase64,
  encodeBase64,
  openCommitment,
  packCommitment,
  standingEpochIn,
} from '@hitmachine/protocol';
import { beforeEach, describe, expect, it } from 'vitest';
import { MemoryAuditLog } from '../../gateway/src/adapters/memory/audit-log.ts';
import type { TestAgency } from './support/agency.ts';
import { register } from './support/agency.ts';
import { POLICY, backend, problem, random } from './support/fixtures.ts';
import { TestGateway } from './support/gateway.ts';

const EPOCH = 1_784_116_800_000;

const tableOf = (id = 'incidenten', tokenType = 'bsn') => ({
  register: id,
  tokenType,
  bits: 5,
  capacity: 427,
  root: encodeBase64(random(32)),
});

const commitmentOf = (epoch = EPOCH, tables = [tableOf()]): TableCommitment => ({
  format: 'hitmachine-tables-1',
  epoch,
  day: '2026-07-15',
  tables,
  logHead: { sequence: 0, chain: encodeBase64(new Uint8Array(32)) },
});

describe('POST /v1/tables', () => {
  let gateway: TestGateway;
  let politie: TestAgency;

  beforeEach(async () => {
    gateway = await TestGateway.make();
    politie = await gateway.enrolled('politie');
  });

  const commit = (body: unknown, agency = politie): Promise<Response> =>
    agency.call('POST', TABLES_PATH, body);
  const loggedBy = async (response: Response): Promise<Logged> => {
    expect(response.status).toBe(200);
    return (await response.json()) as Logged;
  };
  const entries = async () => (await gateway.audit()).filter(({ event }) => event === 'tables');

  /** The commitment as any asker finds it in an answer. */
  const opened = (logged: Logged, agency = politie) => {
    const log = { origin: 'waalstad.hitmachine/log', publicKey: gateway.deps.keys.identityKey };
    const node = { id: agency.id, identityKey: decodeBase64(agency.identityKey) };
    return openCommitment(backend, log, node, packCommitment(logged, log));
  };

  it('enters what the agency signed in the log, and proves it', async () => {
    const commitment = commitmentOf();
    const logged = await loggedBy(await commit(commitment));
    const { index, body, commitment: found } = opened(logged);
    expect(found).toEqual(commitment);
    expect(body).toBe(JSON.stringify(commitment));
    const [leaf] = await gateway.deps.auditLog.leaves(index, 1);
    expect(encodeBase64(leaf!)).toBe(logged.entry);
  });

  it('enters that there are no tables as well', async () => {
    expect(opened(await loggedBy(await commit(commitmentOf(EPOCH, [])))).commitment.tables).toEqual([]);
  });

  it('gives the same entry for the same commitment, also after others have written', async () => {
    const commitment = commitmentOf();
    const first = opened(await loggedBy(await commit(commitment)));
    await gateway.enrolled('ggz');
    const again = opened(await loggedBy(await commit(commitment)));
    expect(again.index).toBe(first.index);
    expect(await entries()).toHaveLength(1);
  });

  it('shows an agency its own latest commitment, and nobody the one of another', async () => {
    expect(await problem(await politie.call('GET', TABLES_PATH))).toMatchObject({
      status: 404,
      code: 'not-found',
    });
    await commit(commitmentOf(EPOCH));
    const last = commitmentOf(EPOCH + 5);
    await commit(last);
    const ggz = await gateway.enrolled('ggz');
    expect(opened(await loggedBy(await politie.call('GET', TABLES_PATH))).commitment).toEqual(last);
    expect(await problem(await ggz.call('GET', TABLES_PATH))).toMatchObject({ code: 'not-found' });
    expect((await gateway.app.request(TABLES_PATH)).status).toBe(401);
  });

  it('refuses another set of tables for an epoch, and an epoch that is past, and writes that down', async () => {
    await commit(commitmentOf(EPOCH));
    await commit(commitmentOf(EPOCH + 5));
    for (const epoch of [EPOCH + 5, EPOCH + 4, EPOCH, 1]) {
      const refusal = await problem(await commit(commitmentOf(epoch)));
      expect(refusal).toMatchObject({ status: 409, code: 'already-exists' });
      expect(refusal.detail).toContain(String(EPOCH + 5));
      expect((await gateway.audit()).at(-1)).toMatchObject({
        event: 'tables-refused',
        agency: 'politie',
        code: 'already-exists',
      });
    }
    expect(await entries()).toHaveLength(2);
  });

  it('names the epoch that stands, so that an agency which does not know it can go on above it', async () => {
    await commit(commitmentOf(EPOCH + LIMITS.epochAheadMs));
    const refusal = await problem(await commit(commitmentOf(EPOCH)));
    const { code, detail, fields } = refusal;
    const standing = standingEpochIn(new HitError(code as ErrorCode, detail, { fields: fields ?? [] }));
    expect(standing).toBe(EPOCH + LIMITS.epochAheadMs);
    gateway.clock.time += 1;
    await loggedBy(await commit(commitmentOf(standing! + 1)));
  });

  it.each([EPOCH + LIMITS.epochAheadMs + 1, 8_999_999_999_999_000, Number.MAX_SAFE_INTEGER])(
    'refuses an epoch so far ahead that it could be the last one: %i',
    async (epoch) => {
      expect(await problem(await commit(commitmentOf(epoch)))).toMatchObject({
        status: 400,
        code: 'field-invalid',
        fields: [{ field: 'epoch' }],
      });
      expect((await gateway.audit()).at(-1)).toMatchObject({ event: 'tables-refused' });
      await loggedBy(await commit(commitmentOf(EPOCH)));
    },
  );

  it('keeps the epochs of agencies apart', async () => {
    const ggz = await gateway.enrolled('ggz');
    const [a, b] = [commitmentOf(), commitmentOf()];
    const mine = opened(await loggedBy(await commit(a)));
    const theirs = opened(await loggedBy(await commit(b, ggz)), ggz);
    expect([mine.commitment, theirs.commitment]).toEqual([a, b]);
  });

  it('lets one of two that come at once be first, also at two gateways on one log', async () => {
    const { directory, auditLog, nonces } = gateway.deps;
    const beside = await TestGateway.make({ directory, auditLog: auditLog as MemoryAuditLog, nonces });
    const elsewhere = (body: unknown) => {
      const signed = politie.sign('POST', TABLES_PATH, body);
      return beside.request(TABLES_PATH, { ...signed, body: new Uint8Array(signed.body) });
    };
    const statuses = await Promise.all([
      ...Array.from({ length: 3 }, () => commit(commitmentOf()).then(({ status }) => status)),
      ...Array.from({ length: 3 }, () => elsewhere(commitmentOf()).then(({ status }) => status)),
    ]);
    expect(statuses.sort()).toEqual([200, 409, 409, 409, 409, 409]);
    const same = commitmentOf(EPOCH + 1);
    const answers = await Promise.all([commit(same), elsewhere(same), commit(same), elsewhere(same)]);
    const places = await Promise.all(answers.map(async (each) => opened(await loggedBy(each)).index));
    expect(new Set(places).size).toBe(1);
    expect(await entries()).toHaveLength(2);
  });

  it('is for tables that the agency has on the roster', async () => {
    await gateway.enrolled('ggz', ['volwassenen']);
    const foreign = await commit(commitmentOf(EPOCH, [tableOf(), tableOf('volwassenen')]));
    expect(await problem(foreign)).toMatchObject({
      code: 'unknown-register',
      fields: [{ field: 'tables.1.register' }],
    });
    const unheld = await commit(commitmentOf(EPOCH, [tableOf('incidenten', 'address')]));
    expect(await problem(unheld)).toMatchObject({
      code: 'field-invalid',
      fields: [{ field: 'tables.0.tokenType' }],
    });
    expect(await entries()).toEqual([]);
  });

  it.each<readonly [string, object]>([
    ['a table twice', { tables: [tableOf(), tableOf()] }],
    ['a root that is too short', { tables: [{ ...tableOf(), root: encodeBase64(random(31)) }] }],
    ['more bits than any table has', { tables: [{ ...tableOf(), bits: 11 }] }],
    ['buckets without tags', { tables: [{ ...tableOf(), capacity: 0 }] }],
    ['a day that is none', { day: '2026-02-30' }],
    ['no epoch', { epoch: undefined }],
    ['another format', { format: 'hitmachine-tables-2' }],
    ['a member that is not known', { note: 'x' }],
  ])('refuses %s', async (_, change) => {
    expect(await problem(await commit({ ...commitmentOf(), ...change }))).toMatchObject({
      status: 400,
      code: 'field-invalid',
    });
    expect(await entries()).toEqual([]);
  });

  it('is for members: a wrong signature, a stranger, or who was taken off, leaves nothing', async () => {
    const stranger = await TestGateway.make().then((other) => other.enrolled('ggz'));
    const signed = stranger.sign('POST', TABLES_PATH, commitmentOf());
    const refusal = await gateway.request(TABLES_PATH, { ...signed, body: new Uint8Array(signed.body) });
    expect(await problem(refusal)).toMatchObject({ code: 'signature-invalid' });
    const parts = politie.sign('POST', TABLES_PATH, commitmentOf());
    const body = new TextEncoder().encode(JSON.stringify(commitmentOf(EPOCH + 1)));
    expect(await problem(await politie.post({ ...parts, body }))).toMatchObject({
      code: 'signature-invalid',
    });
    expect(await entries()).toEqual([]);
  });

  it('answers nothing that could not be written, and the same request later succeeds', async () => {
    class FullLog extends MemoryAuditLog {
      full = false;
      override append(...entry: Parameters<MemoryAuditLog['append']>) {
        return this.full ? Promise.reject(new HitError('storage-failed')) : super.append(...entry);
      }
    }
    const auditLog = new FullLog();
    gateway = await TestGateway.make({ auditLog });
    politie = await gateway.enrolled('politie');
    auditLog.full = true;
    const commitment = commitmentOf();
    expect(await problem(await commit(commitment))).toMatchObject({ status: 503, code: 'storage-failed' });
    auditLog.full = false;
    expect(opened(await loggedBy(await commit(commitment))).commitment).toEqual(commitment);
  });

  it('has a limit, which a repetition does not count for', async () => {
    const commitment = commitmentOf();
    for (let i = 0; i < 30; i++) await loggedBy(await commit(commitment));
    const codes: number[] = [];
    for (let i = 1; i <= 25; i++) codes.push((await commit(commitmentOf(EPOCH + i))).status);
    expect(codes.filter((code) => code === 200)).toHaveLength(19);
    expect(codes.at(-1)).toBe(429);
    gateway.clock.time += 60_000;
    await loggedBy(await commit(commitmentOf(EPOCH + 100)));
  });

  it('takes the most tables that an agency can have', async () => {
    const names = (count: number, length: number): string[] =>
      Array.from({ length: count }, (_, i) => `${'r'.repeat(length - 2)}${String(i).padStart(2, '0')}`);
    const types = names(LIMITS.tokenTypes, 32);
    const policy = {
      ...POLICY,
      purposes: [],
      settings: {
        ...{ lookupProof: true, maxPersons: 4, answerTimeoutMs: 300 },
        tokenTypes: Object.fromEntries(types.map((type) => [type, 1])),
      },
    };
    const id = 'a'.repeat(40);
    gateway = await TestGateway.make({ policy });
    politie = await gateway.enrolled(id, []);
    const ids = names(LIMITS.registersPerAgency, 40);
    const registers = ids.map((each) => ({ ...register(each), tokenTypes: types }));
    expect((await politie.call('PUT', '/v1/registers', { registers })).status).toBe(200);
    const tables = ids.flatMap((each) =>
      types.map((type) => ({ ...tableOf(each, type), bits: 10, capacity: 10_367 })),
    );
    const logged = await loggedBy(await commit(commitmentOf(EPOCH + LIMITS.epochAheadMs, tables)));
    expect(tables).toHaveLength(256);
    expect(opened(logged).commitment.tables).toEqual(tables);
    expect(decodeBase64(logged.entry).length).toBeLessThan(MAX_ENTRY_BYTES);
  });
});

import type { Agency, KeyChange, Register, SessionKey, SignedDocument } from '@hitmachine/protocol';
import { HitError } from '@hitmachine/protocol';
import type {
  AgencyRecord,
  Directory,
  Enrolment,
  HeldKeys,
  Invitation,
  KeyChangeOf,
  QuotientGiven,
  StoredDocument,
  StoredRoster,
} from '../../ports/directory.ts';
import { newerMembers, otherOfflineKey } from '../directory-refusals.ts';
import { givenOf, heldOf } from '../directory-rows.ts';
import type { PostgresDatabase, Row } from '@hitmachine/service';
import { DIRECTORY_LOCK } from './locks.ts';

/** The directory in PostgreSQL. */
export class PostgresDirectory implements Directory {
  readonly #database: PostgresDatabase;

  constructor(database: PostgresDatabase) {
    this.#database = database;
  }

  async invite({ id, name, kind, clients, tokenHash, tokenExpires }: Invitation): Promise<void> {
    await this.#write(
      `INSERT INTO agency (id, name, kind, clients, token_hash, token_expires) VALUES ($1, $2, $3, $4, $5, $6)
         ON CONFLICT (id) DO UPDATE SET name = $2, kind = $3, clients = $4,
           token_hash = $5, token_expires = $6, token_used_by = NULL`,
      [id, name, kind, clients, tokenHash, tokenExpires],
    );
  }

  async agencies(): Promise<readonly AgencyRecord[]> {
    return (await this.#database.query('SELECT * FROM agency ORDER BY id')).map(recordOf);
  }

  async agency(id: string): Promise<AgencyRecord | undefined> {
    const [row] = await this.#database.query('SELECT * FROM agency WHERE id = $1', [id]);
    return row && recordOf(row);
  }

  async remove(id: string): Promise<void> {
    await this.#write('DELETE FROM agency WHERE id = $1', [id]);
  }

  async enrol(id: string, tokenHash: Uint8Array, enrolment: Enrolment): Promise<boolean> {
    const { identityKey, sessionKey, registers } = enrolment;
    const changed = await this.#write(
      `UPDATE agency SET token_used_by = $3, identity_key = $3, session_key = $4, registers = $5, key_change = NULL
         WHERE id = $1 AND token_hash = $2 AND token_used_by IS NULL RETURNING id`,
      [id, tokenHash, identityKey, JSON.stringify(sessionKey), JSON.stringify(registers)],
    );
    return changed.length === 1;
  }

  async setRegisters(id: string, registers: readonly Register[]): Promise<void> {
    await this.#write('UPDATE agency SET registers = $2 WHERE id = $1 AND identity_key IS NOT NULL', [
      id,
      JSON.stringify(registers),
    ]);
  }

  async announceKeys(id: string, before: Enrolment, after: KeyChangeOf): Promise<boolean> {
    const changed = await this.#write(
      `UPDATE agency SET identity_key = $4, session_key = $5, key_change = $6
         WHERE id = $1 AND identity_key = $2 AND key_change IS NOT DISTINCT FROM $3 RETURNING id`,
      announcement(id, before, after),
    );
    return changed.length === 1;
  }

  async latestRoster(): Promise<StoredRoster | undefined> {
    return this.#document('SELECT version, document FROM roster ORDER BY version DESC LIMIT 1');
  }

  async roster(version: number): Promise<StoredRoster | undefined> {
    return this.#document('SELECT version, document FROM roster WHERE version = $1', [version]);
  }

  async saveRoster({ version, document }: StoredRoster): Promise<void> {
    // Of two at once the second waits for the first, and then finds its version taken.
    const changed = await this.#write(
      `INSERT INTO roster (version, document) SELECT $1::bigint, $2::text
         WHERE $1 = (SELECT coalesce(max(version), 0) + 1 FROM roster)
         ON CONFLICT DO NOTHING RETURNING version`,
      [version, JSON.stringify(document)],
    );
    if (changed.length !== 1) throw new HitError('already-exists', 'another process has made a newer roster');
  }

  async latestPolicy(): Promise<StoredDocument | undefined> {
    return this.#document('SELECT version, document FROM policy ORDER BY version DESC LIMIT 1');
  }

  async savePolicy({ version, document }: StoredDocument): Promise<void> {
    const changed = await this.#write(
      `INSERT INTO policy (version, document) SELECT $1::bigint, $2::text
         WHERE $1 > (SELECT coalesce(max(version), 0) FROM policy)
         ON CONFLICT DO NOTHING RETURNING version`,
      [version, JSON.stringify(document)],
    );
    if (changed.length !== 1)
      throw new HitError('already-exists', 'another process has published a newer policy');
  }

  async latestMembers(): Promise<StoredDocument | undefined> {
    return this.#document('SELECT version, document FROM members ORDER BY version DESC LIMIT 1');
  }

  async saveMembers({ version, document }: StoredDocument): Promise<void> {
    const changed = await this.#write(
      `INSERT INTO members (version, document) SELECT $1::bigint, $2::text
         WHERE $1 > (SELECT coalesce(max(version), 0) FROM members)
         ON CONFLICT DO NOTHING RETURNING version`,
      [version, JSON.stringify(document)],
    );
    if (changed.length !== 1) throw newerMembers();
  }

  async offlineKey(): Promise<string | undefined> {
    const [row] = await this.#database.query('SELECT public_key FROM offline_key');
    return row && String(row['public_key']);
  }

  async useOfflineKey(publicKey: string): Promise<void> {
    await this.#write('INSERT INTO offline_key (id, public_key) VALUES (1, $1) ON CONFLICT DO NOTHING', [
      publicKey,
    ]);
    if ((await this.offlineKey()) !== publicKey) throw otherOfflineKey();
  }

  async evaluationKey(): Promise<string | undefined> {
    const [row] = await this.#database.query('SELECT public_key FROM evaluation_key');
    return row && String(row['public_key']);
  }

  async useEvaluationKey(publicKey: string): Promise<void> {
    await this.#write(
      'INSERT INTO evaluation_key (id, public_key) VALUES (1, $1) ON CONFLICT (id) DO UPDATE SET public_key = $1',
      [publicKey],
    );
  }

  async tellHeldKeys({ replica, host, keys }: Omit<HeldKeys, 'agoMs'>): Promise<void> {
    await this.#write("DELETE FROM held_keys WHERE at < clock_timestamp() - interval '1 hour'", []);
    await this.#write(
      `INSERT INTO held_keys (replica, host, keys, at) VALUES ($1, $2, $3, clock_timestamp())
         ON CONFLICT (replica) DO UPDATE SET host = $2, keys = $3, at = clock_timestamp()`,
      [replica, host, JSON.stringify(keys)],
    );
  }

  async forgetHeldKeys(replica: string): Promise<void> {
    await this.#write('DELETE FROM held_keys WHERE replica = $1', [replica]);
  }

  async heldKeys(): Promise<readonly HeldKeys[]> {
    const rows = await this.#database.query(
      `SELECT replica, host, keys, extract(epoch FROM clock_timestamp() - at) * 1000 AS ago
         FROM held_keys ORDER BY replica`,
    );
    return rows.map(heldOf);
  }

  async noteQuotient({
    agency,
    evaluationKey,
    at,
  }: Parameters<Directory['noteQuotient']>[0]): Promise<number> {
    await this.#write('DELETE FROM quotient_given WHERE evaluation_key <> $1', [evaluationKey]);
    const [row] = await this.#write(
      `INSERT INTO quotient_given AS given (agency, evaluation_key, first_at, last_at, times)
         VALUES ($1, $2, $3, $3, 1)
         ON CONFLICT (agency) DO UPDATE SET last_at = $3, times = given.times + 1 RETURNING times`,
      [agency, evaluationKey, at],
    );
    return Number(row?.['times']);
  }

  async quotientsGiven(evaluationKey: string): Promise<readonly QuotientGiven[]> {
    const rows = await this.#database.query(
      'SELECT * FROM quotient_given WHERE evaluation_key = $1 ORDER BY agency',
      [evaluationKey],
    );
    return rows.map(givenOf);
  }

  exclusively<T>(work: () => Promise<T>): Promise<T> {
    return this.#database.transaction([DIRECTORY_LOCK], work);
  }

  async #document(statement: string, values: readonly number[] = []): Promise<StoredDocument | undefined> {
    const [row] = await this.#database.query(statement, values);
    if (row === undefined) return undefined;
    return {
      version: Number(row['version']),
      document: JSON.parse(String(row['document'])) as SignedDocument,
    };
  }

  #write(statement: string, values: readonly unknown[]): Promise<readonly Row[]> {
    return this.#database.transaction([], (run) => run(statement, values));
  }
}

/** The values of an announcement: whose, what has to stand there, and what then stands there. */
function announcement(id: string, before: KeyChangeOf, after: KeyChangeOf): unknown[] {
  const text = (change: KeyChange | undefined): string | null =>
    change === undefined ? null : JSON.stringify(change);
  const { identityKey, sessionKey, keyChange } = after;
  return [
    ...[id, before.identityKey, text(before.keyChange)],
    ...[identityKey, JSON.stringify(sessionKey), text(keyChange)],
  ];
}

function recordOf(row: Row): AgencyRecord {
  return {
    id: String(row['id']),
    name: String(row['name']),
    kind: String(row['kind']) as Agency['kind'],
    clients: Number(row['clients']),
    tokenHash: new Uint8Array(row['token_hash'] as Buffer),
    tokenExpires: Number(row['token_expires']),
    tokenUsedBy: bytesOf(row['token_used_by']),
    enrolment: enrolmentOf(row),
  };
}

function enrolmentOf(row: Row): Enrolment | undefined {
  const identityKey = bytesOf(row['identity_key']);
  if (identityKey === undefined) return undefined;
  return {
    identityKey,
    sessionKey: JSON.parse(String(row['session_key'])) as SessionKey,
    registers: JSON.parse(String(row['registers'])) as Register[],
    ...(typeof row['key_change'] === 'string' && {
      keyChange: JSON.parse(row['key_change']) as KeyChange,
    }),
  };
}

function bytesOf(value: unknown): Uint8Array | undefined {
  return value === null ? undefined : new Uint8Array(value as Buffer);
}

import type { DatabaseSync, SQLInputValue, SQLOutputValue, StatementSync } from 'node:sqlite';
import type { Agency, KeyChange, Register, SessionKey, SignedDocument } from '@hitmachine/protocol';
import { HitError } from '@hitmachine/protocol';
import { InTurn } from '@hitmachine/service';
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
import { inTransaction, storing } from './database.ts';

type Row = Record<string, SQLOutputValue>;

const NOW_MS = "CAST(unixepoch('subsec') * 1000 AS INTEGER)";
const AGO_MS = `(${NOW_MS} - at)`;

/** The directory in SQLite. `database` must be a durable connection. */
export class SqliteDirectory implements Directory {
  readonly #inTurn = new InTurn();
  readonly #database: DatabaseSync;
  /** Every signed request asks for its agency. */
  readonly #agency: StatementSync;

  constructor(database: DatabaseSync) {
    this.#database = database;
    this.#agency = storing(() => database.prepare('SELECT * FROM agency WHERE id = ?'));
  }

  async invite({ id, name, kind, clients, tokenHash, tokenExpires }: Invitation): Promise<void> {
    this.#run(
      `INSERT INTO agency (id, name, kind, clients, token_hash, token_expires) VALUES (?1, ?2, ?3, ?4, ?5, ?6)
         ON CONFLICT (id) DO UPDATE SET name = ?2, kind = ?3, clients = ?4,
           token_hash = ?5, token_expires = ?6, token_used_by = NULL`,
      [id, name, kind, clients, tokenHash, tokenExpires],
    );
  }

  async agencies(): Promise<readonly AgencyRecord[]> {
    return storing(() => this.#database.prepare('SELECT * FROM agency ORDER BY id').all().map(recordOf));
  }

  async agency(id: string): Promise<AgencyRecord | undefined> {
    return storing(() => {
      const row = this.#agency.get(id);
      return row && recordOf(row);
    });
  }

  async remove(id: string): Promise<void> {
    this.#run('DELETE FROM agency WHERE id = ?', [id]);
  }

  async enrol(id: string, tokenHash: Uint8Array, enrolment: Enrolment): Promise<boolean> {
    const { identityKey, sessionKey, registers } = enrolment;
    const changes = this.#run(
      `UPDATE agency SET token_used_by = ?3, identity_key = ?3, session_key = ?4, registers = ?5, key_change = NULL
         WHERE id = ?1 AND token_hash = ?2 AND token_used_by IS NULL`,
      [id, tokenHash, identityKey, JSON.stringify(sessionKey), JSON.stringify(registers)],
    );
    return changes === 1;
  }

  async setRegisters(id: string, registers: readonly Register[]): Promise<void> {
    this.#run('UPDATE agency SET registers = ?2 WHERE id = ?1 AND identity_key IS NOT NULL', [
      id,
      JSON.stringify(registers),
    ]);
  }

  async announceKeys(id: string, before: Enrolment, after: KeyChangeOf): Promise<boolean> {
    const changes = this.#run(
      `UPDATE agency SET identity_key = ?4, session_key = ?5, key_change = ?6
         WHERE id = ?1 AND identity_key = ?2 AND key_change IS ?3`,
      announcement(id, before, after),
    );
    return changes === 1;
  }

  async latestRoster(): Promise<StoredRoster | undefined> {
    return this.#document('SELECT version, document FROM roster ORDER BY version DESC LIMIT 1');
  }

  async roster(version: number): Promise<StoredRoster | undefined> {
    return this.#document('SELECT version, document FROM roster WHERE version = ?', version);
  }

  async saveRoster({ version, document }: StoredRoster): Promise<void> {
    const changes = this.#run(
      `INSERT INTO roster (version, document) SELECT ?1, ?2
         WHERE ?1 = (SELECT coalesce(max(version), 0) + 1 FROM roster)`,
      [version, JSON.stringify(document)],
    );
    if (changes !== 1)
      throw new HitError(
        'already-exists',
        'another process has made a newer roster: only one gateway may serve a directory',
      );
  }

  async latestPolicy(): Promise<StoredDocument | undefined> {
    return this.#document('SELECT version, document FROM policy ORDER BY version DESC LIMIT 1');
  }

  async savePolicy({ version, document }: StoredDocument): Promise<void> {
    const changes = this.#run(
      `INSERT INTO policy (version, document) SELECT ?1, ?2
         WHERE ?1 > (SELECT coalesce(max(version), 0) FROM policy)`,
      [version, JSON.stringify(document)],
    );
    if (changes !== 1) throw new HitError('already-exists', 'another process has published a newer policy');
  }

  async latestMembers(): Promise<StoredDocument | undefined> {
    return this.#document('SELECT version, document FROM members ORDER BY version DESC LIMIT 1');
  }

  async saveMembers({ version, document }: StoredDocument): Promise<void> {
    const changes = this.#run(
      `INSERT INTO members (version, document) SELECT ?1, ?2
         WHERE ?1 > (SELECT coalesce(max(version), 0) FROM members)`,
      [version, JSON.stringify(document)],
    );
    if (changes !== 1) throw newerMembers();
  }

  async offlineKey(): Promise<string | undefined> {
    return storing(() => {
      const row = this.#database.prepare('SELECT public_key FROM offline_key').get();
      return row && String(row['public_key']);
    });
  }

  async useOfflineKey(publicKey: string): Promise<void> {
    this.#run('INSERT INTO offline_key (id, public_key) VALUES (1, ?) ON CONFLICT DO NOTHING', [publicKey]);
    if ((await this.offlineKey()) !== publicKey) throw otherOfflineKey();
  }

  async evaluationKey(): Promise<string | undefined> {
    return storing(() => {
      const row = this.#database.prepare('SELECT public_key FROM evaluation_key').get();
      return row && String(row['public_key']);
    });
  }

  async useEvaluationKey(publicKey: string): Promise<void> {
    this.#run(
      'INSERT INTO evaluation_key (id, public_key) VALUES (1, ?1) ON CONFLICT (id) DO UPDATE SET public_key = ?1',
      [publicKey],
    );
  }

  async tellHeldKeys({ replica, host, keys }: Omit<HeldKeys, 'agoMs'>): Promise<void> {
    // In its place at once: a command that looks meanwhile must not find none.
    this.#run(
      `INSERT INTO held_keys (replica, host, keys, at) VALUES (?1, ?2, ?3, ${NOW_MS})
         ON CONFLICT (replica) DO UPDATE SET host = ?2, keys = ?3, at = ${NOW_MS}`,
      [replica, host, JSON.stringify(keys)],
    );
    this.#run(`DELETE FROM held_keys WHERE ${AGO_MS} > 3600000`, []);
  }

  async forgetHeldKeys(replica: string): Promise<void> {
    this.#run('DELETE FROM held_keys WHERE replica = ?', [replica]);
  }

  async heldKeys(): Promise<readonly HeldKeys[]> {
    return storing(() =>
      this.#database
        .prepare(`SELECT replica, host, keys, ${AGO_MS} AS ago FROM held_keys ORDER BY replica`)
        .all()
        .map(heldOf),
    );
  }

  async noteQuotient({
    agency,
    evaluationKey,
    at,
  }: Parameters<Directory['noteQuotient']>[0]): Promise<number> {
    return storing(() =>
      inTransaction(this.#database, () => {
        this.#database.prepare('DELETE FROM quotient_given WHERE evaluation_key <> ?').run(evaluationKey);
        const row = this.#database
          .prepare(
            `INSERT INTO quotient_given (agency, evaluation_key, first_at, last_at, times) VALUES (?1, ?2, ?3, ?3, 1)
               ON CONFLICT (agency) DO UPDATE SET last_at = ?3, times = times + 1 RETURNING times`,
          )
          .get(agency, evaluationKey, at);
        return Number(row?.['times']);
      }),
    );
  }

  async quotientsGiven(evaluationKey: string): Promise<readonly QuotientGiven[]> {
    return storing(() =>
      this.#database
        .prepare('SELECT * FROM quotient_given WHERE evaluation_key = ? ORDER BY agency')
        .all(evaluationKey)
        .map(givenOf),
    );
  }

  /** One gateway serves a file, and it makes one roster at a time. */
  exclusively<T>(work: () => Promise<T>): Promise<T> {
    return this.#inTurn.run(work);
  }

  #document(statement: string, ...values: number[]): StoredDocument | undefined {
    return storing(() => {
      const row = this.#database.prepare(statement).get(...values);
      if (row === undefined) return undefined;
      return {
        version: Number(row['version']),
        document: JSON.parse(String(row['document'])) as SignedDocument,
      };
    });
  }

  #run(statement: string, values: SQLInputValue[]): number {
    return storing(() =>
      inTransaction(this.#database, () => Number(this.#database.prepare(statement).run(...values).changes)),
    );
  }
}

/** The values of an announcement: whose, what has to stand there, and what then stands there. */
function announcement(id: string, before: KeyChangeOf, after: KeyChangeOf): SQLInputValue[] {
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
    tokenHash: row['token_hash'] as Uint8Array,
    tokenExpires: Number(row['token_expires']),
    tokenUsedBy: (row['token_used_by'] as Uint8Array | null) ?? undefined,
    enrolment: enrolmentOf(row),
  };
}

function enrolmentOf(row: Row): Enrolment | undefined {
  if (row['identity_key'] === null) return undefined;
  return {
    identityKey: row['identity_key'] as Uint8Array,
    sessionKey: JSON.parse(String(row['session_key'])) as SessionKey,
    registers: JSON.parse(String(row['registers'])) as Register[],
    ...(typeof row['key_change'] === 'string' && {
      keyChange: JSON.parse(row['key_change']) as KeyChange,
    }),
  };
}

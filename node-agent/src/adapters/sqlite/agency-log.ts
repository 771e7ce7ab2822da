import { createHmac } from 'node:crypto';
import type { DatabaseSync } from 'node:sqlite';
import type { Backend, Random, Secret } from '@hitmachine/protocol';
import { HitError, bytesToHex, utf8ToBytes } from '@hitmachine/protocol';
import type { AgencyLog, LoggedEvent } from '../../ports/agency-log.ts';
import { inTransaction } from './database.ts';

/** The counter of all askers together. */
const EVERYBODY = '*';

interface Row {
  readonly sequence: number;
  readonly at: number;
  readonly event: string;
  readonly lookup_key: string;
  readonly nonce: Uint8Array;
  readonly sealed: Uint8Array;
}

/** {@link AgencyLog} on SQLite. Details are sealed under the agency's log key: the file alone shows when, not who. */
export function sqliteAgencyLog(
  database: DatabaseSync,
  backend: Backend,
  logKey: Secret<Uint8Array>,
  random: Random,
): AgencyLog {
  const insert = database.prepare(
    'INSERT INTO log (at, event, lookup_key, nonce, sealed) VALUES (?, ?, ?, ?, ?)',
  );
  const associated = (event: string, lookupKey: string): Uint8Array =>
    utf8ToBytes(`hitmachine-v1 log ${event} ${lookupKey}`);

  /** Stands for an asker in the day's counters, so that these do not show either who asked. */
  const counterName = (agency: string): string =>
    createHmac('sha256', logKey.reveal()).update(`hitmachine-v1 quota ${agency}`).digest('base64url');

  function write(event: string, lookupKey: string, detail: unknown, now: number): void {
    const nonce = random(12);
    const plaintext = utf8ToBytes(JSON.stringify(detail));
    insert.run(
      now,
      event,
      lookupKey,
      nonce,
      backend.aead.seal(logKey.reveal(), nonce, associated(event, lookupKey), plaintext),
    );
  }

  /** Whatever goes wrong in storing, the caller must not go on. */
  function durably<T>(work: () => T): T {
    try {
      return inTransaction(database, work);
    } catch (cause) {
      if (cause instanceof HitError) throw cause;
      throw new HitError('storage-failed', undefined, { cause });
    }
  }

  const charge = database.prepare(
    `INSERT INTO answered_persons (day, agency, persons) VALUES (?1, ?2, ?3)
     ON CONFLICT (day, agency) DO UPDATE SET persons = persons + ?3`,
  );
  const counted = database.prepare('SELECT persons FROM answered_persons WHERE day = ? AND agency = ?');
  const answeredOn = (day: string, name: string): number =>
    (counted.get(day, name) as { persons: number } | undefined)?.persons ?? 0;

  return {
    append: ({ event, lookupKey, detail }, now) => durably(() => write(event, lookupKey, detail, now)),
    appendAnswered: (lookupId, detail, quota, now) =>
      durably(() => {
        const lookupKey = bytesToHex(lookupId);
        if (
          database.prepare("SELECT 1 FROM log WHERE lookup_key = ? AND event = 'answered'").get(lookupKey) !==
          undefined
        )
          return 'replayed';
        const day = new Date(now).toISOString().slice(0, 10);
        const asker = counterName(detail.asker);
        const charges = [
          [asker, quota.limit],
          [EVERYBODY, quota.total],
        ] as const;
        if (charges.some(([name, limit]) => answeredOn(day, name) + detail.persons > limit)) {
          write('refused', lookupKey, { ...detail, reason: 'quota' }, now);
          return 'quota';
        }
        for (const [name] of charges) charge.run(day, name, detail.persons);
        write('answered', lookupKey, detail, now);
        return 'logged';
      }),
    read: (after, limit) =>
      (
        database
          .prepare('SELECT * FROM log WHERE sequence > ? ORDER BY sequence LIMIT ?')
          .all(after, limit) as unknown as Row[]
      ).map((row): LoggedEvent => {
        const plaintext = backend.aead.open(
          logKey.reveal(),
          row.nonce,
          associated(row.event, row.lookup_key),
          row.sealed,
        );
        const detail: unknown = JSON.parse(new TextDecoder().decode(plaintext));
        return { sequence: row.sequence, at: row.at, event: row.event, lookupKey: row.lookup_key, detail };
      }),
  };
}

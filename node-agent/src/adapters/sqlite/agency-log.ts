import { createHmac } from 'node:crypto';
import type { DatabaseSync } from 'node:sqlite';
import type { AgencyLogContent, AgencyLogHead, Backend, Random, Secret } from '@hitmachine/protocol';
import {
  AGENCY_LOG_START,
  HitError,
  agencyLogChain,
  agencyLogContentHash,
  bytesToHex,
  concatBytes,
  uintToBytes,
  utf8ToBytes,
} from '@hitmachine/protocol';
import type { AgencyEvent, AgencyLog, Binding, LoggedEvent } from '../../ports/agency-log.ts';
import { addAskedAbout } from './asked-about.ts';
import { inTransaction } from './database.ts';
import { sqliteLogRows } from './log-rows.ts';
import { sqliteOutcomes } from './outcomes.ts';
import { removeContent } from './remove-content.ts';

type AskedDetail = Extract<AgencyEvent, { event: 'asked' }>['detail'];

/** The counter of all askers together. */
const EVERYBODY = '*';

const SEALED = utf8ToBytes('hitmachine-v1 agency-log sealed');

/**
 * What an entry's details are sealed to: its own place, and through the chain everything before it. So whoever writes
 * the file without the key cannot put a chain of right hashes over entries that were moved or left out.
 */
const boundTo = (content: Omit<AgencyLogContent, 'nonce' | 'sealed'>, previous: Uint8Array): Uint8Array =>
  concatBytes(
    SEALED,
    previous,
    uintToBytes(content.sequence, 8),
    uintToBytes(content.at, 8),
    utf8ToBytes(`${content.event} ${content.lookupKey}`),
  );

/** As entries were sealed before there was a chain. */
const boundLoosely = ({ event, lookupKey }: AgencyLogContent): Uint8Array =>
  utf8ToBytes(`hitmachine-v1 log ${event} ${lookupKey}`);

/** {@link AgencyLog} on SQLite. Details are sealed under the agency's log key: the file alone shows when, not who. */
export function sqliteAgencyLog(
  database: DatabaseSync,
  backend: Backend,
  logKey: Secret<Uint8Array>,
  random: Random,
): AgencyLog {
  const insert = database.prepare(
    `INSERT INTO log (sequence, at, event, lookup_key, nonce, sealed, content_hash, chain)
     VALUES (?, ?, ?, ?, ?, ?, ?, ?)`,
  );
  const last = database.prepare('SELECT sequence, at, chain FROM log ORDER BY sequence DESC LIMIT 1');
  const lastRow = (): AgencyLogHead & { readonly at: number } =>
    (last.get() as unknown as (AgencyLogHead & { at: number }) | undefined) ?? { ...AGENCY_LOG_START, at: 0 };
  const chainAt = database.prepare('SELECT chain FROM log WHERE sequence = ?');
  const stored = sqliteLogRows(database);
  const outcomes = sqliteOutcomes(database, backend, random);

  /** Stands for an asker in the day's counters, so that these do not show either who asked. */
  const counterName = (agency: string): string =>
    createHmac('sha256', logKey.reveal()).update(`hitmachine-v1 quota ${agency}`).digest('base64url');

  function write(event: string, lookupKey: string, detail: unknown, now: number): void {
    const before = lastRow();
    const place = { sequence: before.sequence + 1, at: Math.max(now, before.at), event, lookupKey };
    const nonce = random(12);
    const plaintext = utf8ToBytes(JSON.stringify(detail));
    const sealed = backend.aead.seal(logKey.reveal(), nonce, boundTo(place, before.chain), plaintext);
    const contentHash = agencyLogContentHash({ ...place, nonce, sealed });
    const chain = agencyLogChain(before.chain, place.at, contentHash);
    insert.run(place.sequence, place.at, event, lookupKey, nonce, sealed, contentHash, chain);
  }

  function open(content: AgencyLogContent, previous: Uint8Array): { detail: unknown; binding: Binding } {
    const { detail, binding } = openSealed(content, previous);
    return { detail: content.event === 'asked' ? outcomes.open(content.lookupKey, detail) : detail, binding };
  }

  function openSealed(
    content: AgencyLogContent,
    previous: Uint8Array,
  ): { detail: unknown; binding: Binding } {
    const { nonce, sealed } = content;
    const under = (associated: Uint8Array): unknown =>
      JSON.parse(new TextDecoder().decode(backend.aead.open(logKey.reveal(), nonce, associated, sealed)));
    try {
      return { detail: under(boundTo(content, previous)), binding: 'chained' };
    } catch (error) {
      if (!(error instanceof HitError)) throw error;
      return { detail: under(boundLoosely(content)), binding: 'loose' };
    }
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
    append: (entry, now) =>
      durably(() => {
        const { event, lookupKey, detail } = entry;
        const until = event === 'asked' ? entry.outcomesUntil : undefined;
        const written = until === undefined ? detail : outcomes.seal(lookupKey, detail as AskedDetail, until);
        write(event, lookupKey, written, now);
      }),
    appendOpened: (lookupKey, detail, askedAbout, now) =>
      durably(() => {
        if (askedAbout !== undefined) addAskedAbout(database, askedAbout, now);
        write('opened', lookupKey, detail, now);
      }),
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
          ['node-quota-agency', asker, quota.limit],
          ['node-quota-all', EVERYBODY, quota.total],
        ] as const;
        const exceeded = charges.find(([, name, limit]) => answeredOn(day, name) + detail.persons > limit);
        if (exceeded !== undefined) {
          const [reason] = exceeded;
          write('refused', lookupKey, { ...detail, reason }, now);
          return reason;
        }
        for (const [, name] of charges) charge.run(day, name, detail.persons);
        write('answered', lookupKey, detail, now);
        return 'logged';
      }),
    rows: (after, limit) => stored.rows(after, limit),
    open,
    read: (after, limit) => {
      let previous =
        (chainAt.get(after) as { chain: Uint8Array } | undefined)?.chain ?? AGENCY_LOG_START.chain;
      return stored.rows(after, limit).map(({ sequence, at, content, chain }): LoggedEvent => {
        const entry =
          content === undefined
            ? { sequence, at, event: 'removed', lookupKey: '', detail: undefined }
            : {
                sequence,
                at,
                event: content.event,
                lookupKey: content.lookupKey,
                detail: open(content, previous).detail,
              };
        previous = chain;
        return entry;
      });
    },
    head: () => {
      const { sequence, chain } = lastRow();
      return { sequence, chain };
    },
    removeContent: (olderThan, limit, now) =>
      removeContent(database, { olderThan, limit, now }, (detail) =>
        write('content-removed', '', detail, now),
      ),
  };
}

import { createHmac, hkdfSync } from 'node:crypto';
import type { Backend, Random, Secret } from '@hitmachine/protocol';
import { HitError, concatBytes } from '@hitmachine/protocol';
import type { SessionOpenings } from '../../ports/session-openings.ts';
import type { AgentDatabase } from '../database.ts';

const NONCE_BYTES = 12;
/** As many as an asker may hold open at a node. */
const KEPT_PER_ASKER = 32;

/**
 * {@link SessionOpenings} on PostgreSQL. Names are keyed and openings sealed under keys that follow from the agency's log
 * key: the database alone does not show who asked this agency within the hour.
 */
export function postgresSessionOpenings(
  database: AgentDatabase,
  backend: Backend,
  logKey: Secret<Uint8Array>,
  random: Random,
): SessionOpenings {
  const derive = (label: string): Uint8Array =>
    new Uint8Array(hkdfSync('sha256', logKey.reveal(), '', `hitmachine-v1 session-openings ${label}`, 32));
  const [nameKey, sealKey] = [derive('name'), derive('seal')];
  const nameOf = (text: string, id: Uint8Array = new Uint8Array()): Uint8Array =>
    new Uint8Array(createHmac('sha256', nameKey).update(`${text}\n`).update(id).digest());

  return {
    async find(asker, sessionId, now) {
      const session = nameOf(asker, sessionId);
      const { rows } = await database.run(
        'SELECT sealed FROM session_openings WHERE session = $1 AND expires_at >= $2',
        [session, now],
      );
      const sealed = rows[0]?.['sealed'] as Uint8Array | undefined;
      if (sealed === undefined) return undefined;
      try {
        return backend.aead.open(
          sealKey,
          sealed.subarray(0, NONCE_BYTES),
          session,
          sealed.subarray(NONCE_BYTES),
        );
      } catch (cause) {
        // Of another key store, or damaged: the asker is told to open a session anew.
        if (cause instanceof HitError) return undefined;
        throw cause;
      }
    },
    async keep({ asker, id, expiresAt }, opening, now) {
      const [session, name] = [nameOf(asker, id), nameOf(asker)];
      const nonce = random(NONCE_BYTES);
      const sealed = concatBytes(nonce, backend.aead.seal(sealKey, nonce, session, opening));
      await database.run(
        'INSERT INTO session_openings (session, asker, expires_at, sealed) VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING',
        [session, name, expiresAt, sealed],
      );
      await database.run(
        `DELETE FROM session_openings WHERE expires_at < $1 OR session IN (
           SELECT session FROM session_openings WHERE asker = $2 ORDER BY kept DESC OFFSET ${KEPT_PER_ASKER})`,
        [now, name],
      );
    },
  };
}

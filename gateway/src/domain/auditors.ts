import type { Backend, LogReading, Random, Secret } from '@hitmachine/protocol';
import { HitError, encodeBase64 } from '@hitmachine/protocol';
import { z } from 'zod';
import type { OperationalLog } from '../log.ts';
import type { AuditLog } from '../ports/audit-log.ts';
import type { IdentityProvider } from '../ports/identity-provider.ts';
import { CookieSeal } from './sealed-cookie.ts';

const LOGIN = 'hitmachine-v1 console login';
const SESSION = 'hitmachine-v1 console session';
/** Milliseconds in which a login must be finished. */
const LOGIN_MS = 10 * 60_000;
/** Characters of a cookie that every browser keeps, less what its name and attributes take. */
const MAX_COOKIE = 3_800;
/** Bytes of an identifier of a session or of an entry. */
const ID_BYTES = 16;
/** What an entry of the log takes of a description or an address. */
const MAX_DETAIL = 1_000;

const loginSchema = z.strictObject({
  state: z.string(),
  nonce: z.string(),
  codeVerifier: z.string(),
  returnTo: z.string(),
  expires: z.number(),
});

const sessionSchema = z.strictObject({
  id: z.string(),
  /** The reader's subject at the identity provider. */
  subject: z.string(),
  name: z.string().optional(),
  auditor: z.boolean(),
  /** Milliseconds since 1970. */
  expires: z.number(),
  idToken: z.string().optional(),
});
export type AuditorSession = z.infer<typeof sessionSchema>;

export interface AuditorsDeps {
  readonly provider: IdentityProvider;
  /** The role that may read the log. */
  readonly auditorRole: string;
  /** Milliseconds after which a session ends and the provider is asked again. */
  readonly sessionMs: number;
  readonly backend: Backend;
  readonly identitySeed: Secret<Uint8Array>;
  readonly runtime: { now(): number; readonly random: Random };
  readonly auditLog: AuditLog;
  readonly log: OperationalLog;
}

/**
 * Who may read the log, and that every reading stands in it.
 *
 * Sessions are sealed into the browser's cookie rather than kept here: they hold on every replica and through a
 * restart, and nobody can fill the gateway's memory by beginning logins. What a role allows is asked anew after
 * `sessionMs`; who logs out before is remembered here until then, so that a copied cookie is of no use either.
 */
export class Auditors {
  readonly #deps: AuditorsDeps;
  readonly #seal: CookieSeal;
  /** Sessions that were ended, with the time at which they would have. */
  readonly #ended = new Map<string, number>();

  constructor(deps: AuditorsDeps) {
    this.#deps = deps;
    this.#seal = new CookieSeal(deps.backend, deps.identitySeed, deps.runtime.random);
  }

  /** Begins a login that leads to the page `returnTo`. Throws `not-ready` when the provider is away. */
  async beginLogin(returnTo: string): Promise<{ readonly url: string; readonly cookie: string }> {
    const { provider, runtime } = this.#deps;
    const { url, attempt } = await provider.begin();
    const login = { ...attempt, returnTo, expires: runtime.now() + LOGIN_MS };
    return { url, cookie: this.#seal.seal(LOGIN, login) };
  }

  /**
   * Finishes a login with what the browser came back with. Throws `unauthorised` for one that was not begun in this
   * browser, took too long or was refused, or `not-ready`.
   */
  async finishLogin(
    query: string,
    cookie: string | undefined,
  ): Promise<{ readonly cookie: string; readonly returnTo: string; readonly maxAgeSeconds: number }> {
    const { provider, runtime, auditorRole, sessionMs } = this.#deps;
    const login = this.#seal.open(LOGIN, loginSchema, cookie);
    if (login === undefined || login.expires <= runtime.now())
      throw new HitError('unauthorised', 'this login was not begun in this browser, or too long ago');
    const { subject, name, roles, idToken } = await provider.finish(query, login);
    const session = {
      id: encodeBase64(runtime.random(ID_BYTES)),
      subject,
      ...(name !== undefined && { name: name.slice(0, 100) }),
      auditor: roles.includes(auditorRole),
      expires: runtime.now() + sessionMs,
    };
    const whole = this.#seal.seal(SESSION, { ...session, idToken });
    return {
      cookie: whole.length <= MAX_COOKIE ? whole : this.#seal.seal(SESSION, session),
      returnTo: login.returnTo,
      maxAgeSeconds: Math.floor(sessionMs / 1_000),
    };
  }

  /** The session of a cookie, while it lasts. */
  session(cookie: string | undefined): AuditorSession | undefined {
    const session = this.#seal.open(SESSION, sessionSchema, cookie);
    if (session === undefined || session.expires <= this.#deps.runtime.now()) return undefined;
    return this.#ended.has(session.id) ? undefined : session;
  }

  /** Ends a session here; gives the place at the provider where it is ended too. Never rejects. */
  async endSession({ id, expires, idToken }: AuditorSession): Promise<string | undefined> {
    const now = this.#deps.runtime.now();
    for (const [ended, until] of this.#ended) if (until <= now) this.#ended.delete(ended);
    this.#ended.set(id, expires);
    return this.#deps.provider.logoutUrl(idToken).catch(() => undefined);
  }

  /**
   * Throws `not-allowed` for somebody without the role, and leaves a trace of it in the log. A refusal gives nothing
   * away, so it goes out even when it cannot be logged.
   */
  async requireAuditor(session: AuditorSession, path: string): Promise<void> {
    if (session.auditor) return;
    const { auditLog, runtime, log, auditorRole } = this.#deps;
    await auditLog
      .append(runtime.now(), {
        event: 'access-refused',
        id: encodeBase64(runtime.random(ID_BYTES)),
        reader: session.subject,
        path: path.slice(0, MAX_DETAIL),
      })
      .catch((err: unknown) => log.error('refusal-not-logged', { err }));
    throw new HitError('not-allowed', `the identity provider does not give you the role "${auditorRole}"`);
  }

  /**
   * Writes down what is about to be read. Resolves once that is durable; whoever calls shows nothing before. Throws
   * `storage-failed`.
   */
  async noteReading(subject: string, reading: LogReading, detail: string): Promise<void> {
    const { auditLog, runtime } = this.#deps;
    await noteReading({ auditLog, runtime }, subject, reading, detail);
  }
}

/** As {@link Auditors.noteReading}, for a reading outside the console. */
export async function noteReading(
  deps: Pick<AuditorsDeps, 'auditLog' | 'runtime'>,
  reader: string,
  reading: LogReading,
  detail: string,
): Promise<void> {
  await deps.auditLog.append(deps.runtime.now(), {
    event: 'log-read',
    id: encodeBase64(deps.runtime.random(ID_BYTES)),
    reader,
    reading,
    detail: detail.slice(0, MAX_DETAIL),
  });
}

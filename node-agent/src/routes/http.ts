import { OpenAPIHono } from '@hono/zod-openapi';
import type { Context, MiddlewareHandler } from 'hono';
import { bodyLimit } from 'hono/body-limit';
import { HTTPException } from 'hono/http-exception';
import { secureHeaders } from 'hono/secure-headers';
import type { Secret } from '@hitmachine/protocol';
import { ERRORS, HitError, LIMITS, constantTimeEqual, fieldErrors, problemOf } from '@hitmachine/protocol';
import type { CaseSystem, CaseSystems } from '../domain/asking/case-systems.ts';
import { PATHS } from '../../desk/paths.ts';
import type { OperationalLog } from '../ports/operational-log.ts';
import { CHALLENGE } from './problems.ts';

/** Version of the API, on every response (Dutch API Design Rules, API-57). */
export const API_VERSION = '1.0.0';

/** An app whose every "no" is a problem document. */
export function problemApp(log: OperationalLog): OpenAPIHono {
  const app = new OpenAPIHono({
    defaultHook(result) {
      if (result.success) return;
      const fields = fieldErrors(result.error);
      throw new HitError(
        'field-invalid',
        fields.map(({ field, detail }) => `${field}: ${detail}`).join('; '),
        { fields },
      );
    },
  });
  app.onError((error, context) => {
    const known = error instanceof HTTPException ? fromHono(error) : error;
    report(log, withoutReference(context.req.path), known);
    return problem(context, known);
  });
  app.notFound((context) =>
    problem(context, new HitError('not-found', 'there is nothing at this address; see /v1/openapi.json')),
  );
  return app;
}

/** The reference of a client is nothing for an operational log. */
const withoutReference = (path: string): string =>
  path.replace(/^(\/v1\/registers\/[^/]*\/clients\/).*/, '$1{reference}');

/** Tells operators what they can mend; what is wrong with a request is for its sender alone. */
export function report(log: OperationalLog, path: string, error: unknown): void {
  if (!(error instanceof HitError))
    log.error({ event: 'internal-error', path, stack: (error as Error).stack });
  else if (ERRORS[error.code].status >= 500)
    log.error({ event: 'request-failed', path, code: error.code, reason: error.detail });
}

/** Renders any thrown value; the one place in which the agent's API says no. */
export function problem(context: Context, error: unknown): Response {
  const document = problemOf(error);
  const retryAfter = error instanceof HitError ? error.retryAfter : undefined;
  return context.body(JSON.stringify(document), document.status as 400, {
    'content-type': 'application/problem+json',
    ...(document.status === 401 ? { 'www-authenticate': CHALLENGE } : {}),
    ...(retryAfter === undefined ? {} : { 'retry-after': String(retryAfter) }),
  });
}

/** Hono's own exceptions: malformed JSON, which comes before our schemas do. */
function fromHono(error: HTTPException): unknown {
  return error.status === 400
    ? new HitError('malformed', 'the body is not JSON in UTF-8', { cause: error })
    : error;
}

/** What every response carries, after the Dutch API Design Rules. */
export const standardHeaders: MiddlewareHandler[] = [
  secureHeaders({
    contentSecurityPolicy: { defaultSrc: ["'none'"], frameAncestors: ["'none'"] },
    strictTransportSecurity: 'max-age=31536000; includeSubDomains',
    referrerPolicy: 'no-referrer',
  }),
  async (context, next) => {
    await next();
    context.header('API-Version', API_VERSION);
    context.header('Cache-Control', 'no-store');
  },
];

const atMost = (maxSize: number, what: string): MiddlewareHandler =>
  bodyLimit({
    maxSize,
    onError: () => {
      throw new HitError('body-too-large', `${what} has at most ${maxSize} bytes`);
    },
  });
const form = atMost(65_536, 'a form');
const file = atMost(4_194_304, 'a file of households');

/** What pages carry unless they say otherwise; a body is a form, so it is small, but for the one with a file. */
export const pageDefaults: MiddlewareHandler[] = [
  (context, next) =>
    context.req.path === PATHS.batch && context.req.method === 'POST'
      ? file(context, next)
      : form(context, next),
  async (context, next) => {
    await next();
    const { headers } = context.res;
    headers.set('Strict-Transport-Security', 'max-age=31536000; includeSubDomains');
    headers.set('X-Content-Type-Options', 'nosniff');
    headers.set('X-Frame-Options', 'DENY');
    if (!headers.has('Cache-Control')) headers.set('Cache-Control', 'no-store');
  },
];

/** Refuses bodies beyond the limit before they are read whole. */
export const jsonLimit = bodyLimit({
  maxSize: LIMITS.jsonBytes,
  onError: () => {
    throw new HitError('body-too-large', `the body has more than ${LIMITS.jsonBytes} bytes`);
  },
});

/** A body must say that it is JSON: a form that a foreign web page posts cannot. */
export const requireJson: MiddlewareHandler = async (context, next) => {
  const type = context.req.header('content-type')?.split(';')[0]?.trim().toLowerCase();
  if (type !== 'application/json')
    throw new HitError('unsupported-media-type', 'send the body with Content-Type: application/json');
  await next();
};

declare module 'hono' {
  interface ContextVariableMap {
    /** The case system that asks; undefined for whoever holds the key of the agent. */
    caseSystem?: CaseSystem;
  }
}

/** What case systems may do; the rest is for whoever holds the key of the agent. */
const FOR_CASE_SYSTEMS: readonly (readonly [method: string, path: string])[] = [
  ['POST', '/v1/lookups'],
  ['GET', '/v1/roster'],
];

/** What a machine that hands over may do. */
const HAND_OVER_PATH = /^\/v1\/registers\/[^/]+\/(content|evaluations)$/;

/** Whether a request may take long to come in: a hand-over, which comes as fast as it is worked on. */
export const takesLong = (method: string, path: string): boolean =>
  method === 'PUT' && HAND_OVER_PATH.test(path);

/**
 * Lets in whoever holds the agent's API key, machines that hand over registers for that alone, and case systems with an access token where there are such. Loopback alone is
 * no protection: any program on the machine gets there.
 */
export function requireCaller(
  apiKey: Secret<string>,
  caseSystems: CaseSystems | undefined,
  handOverKey?: Secret<string>,
): MiddlewareHandler {
  const encoder = new TextEncoder();
  const isKey = (given: string, key: Secret<string>): boolean =>
    constantTimeEqual(encoder.encode(given), encoder.encode(key.reveal()));
  return async (context, next) => {
    const given = /^Bearer (.+)$/i.exec(context.req.header('authorization') ?? '')?.[1] ?? '';
    if (handOverKey !== undefined && isKey(given, handOverKey)) {
      if (!HAND_OVER_PATH.test(context.req.path))
        throw new HitError('not-allowed', 'this key hands over registers; it opens nothing else', {
          rule: 'hand-over',
        });
    } else if (handOverKey !== undefined && HAND_OVER_PATH.test(context.req.path)) {
      throw new HitError(
        'unauthorised',
        'send Authorization: Bearer with the key of the machine that hands over',
      );
    } else if (!isKey(given, apiKey)) {
      if (caseSystems === undefined || !isToken(given))
        throw new HitError(
          'unauthorised',
          'send the key of this agent (the file api-key in its directory) as Authorization: Bearer KEY' +
            (caseSystems === undefined ? '' : ', or an access token of a case system'),
        );
      const { method, path, raw } = context.req;
      const system = await caseSystems.callerOf(raw);
      if (!FOR_CASE_SYSTEMS.some(([m, p]) => m === method && p === path))
        throw new HitError('not-allowed', 'case systems ask, and read the roster; nothing else', {
          rule: 'case-system',
        });
      context.set('caseSystem', system);
    }
    await next();
  };
}

/** A signed token has three parts (RFC 7515); the key of an agent has one. */
const isToken = (text: string): boolean => text.split('.').length === 3;

import type { ErrorCode } from '@hitmachine/protocol';
import { ERRORS, HitError, problemOf, problemSchema as sharedSchema } from '@hitmachine/protocol';
import type { ContentfulStatusCode } from 'hono/utils/http-status';
import type { OperationalLog } from '../log.ts';
import type { GatewayContext } from './context.ts';

const problemSchema = sharedSchema.meta({ ...sharedSchema.meta(), id: 'Problem' });

/** How to prove who you are (RFC 9110 section 11.6.1), for a 401 with this code. */
const challengeOf = (code: ErrorCode): string =>
  code === 'unauthorised' ? 'Bearer realm="hitmachine lookup"' : 'Signature realm="hitmachine gateway"';

const header = (description: string) => ({ description, schema: { type: 'string' as const } });
const HEADERS: Readonly<Record<number, Readonly<Record<string, ReturnType<typeof header>>>>> = {
  401: {
    'WWW-Authenticate': header(
      '`Signature`: sign the request (RFC 9421) as its headers are described. `Bearer`: send the capability of the lookup.',
    ),
  },
  429: { 'Retry-After': header('Seconds until the limit starts anew, or until there is room again.') },
  503: { 'Retry-After': header('Seconds until there is room again, where that is what is missing.') },
};

/** What any address can answer with, whatever else it does. */
export const OTHER_PROBLEMS = {
  description:
    'Any other refusal: `not-found` (404) at an address that is not in this document, `method-not-allowed` (405) for a method that the address does not take.',
  headers: { Allow: header('With 405: the methods that the address takes.') },
  content: {
    'application/problem+json': {
      schema: problemSchema,
      examples: examplesOf('not-found', 'method-not-allowed'),
    },
  },
};

/** The responses of the OpenAPI document for these codes: one entry a status, which names its codes. */
export function problemResponses(...codes: ErrorCode[]) {
  const statuses = new Set(codes.map((code) => ERRORS[code].status));
  return Object.fromEntries(
    [...statuses].sort().map((status) => {
      const here = codes.filter((code) => ERRORS[code].status === status);
      const headers = HEADERS[status];
      return [
        status,
        {
          description: here.map((code) => `\`${code}\`: ${ERRORS[code].title}`).join('; '),
          ...(headers !== undefined && { headers }),
          content: { 'application/problem+json': { schema: problemSchema, examples: examplesOf(...here) } },
        },
      ];
    }),
  );
}

function examplesOf(...codes: ErrorCode[]) {
  return Object.fromEntries(codes.map((code) => [code, { value: problemOf(new HitError(code)) }]));
}

/** Renders anything thrown as a problem document. What nobody foresaw is logged with its stack, and not shown. */
export function respondWithProblem(c: GatewayContext, error: unknown, log: OperationalLog): Response {
  const problem = problemOf(error);
  c.set('code', problem.code);
  // Turning away is what the gateway does when it has too much to do: a line each would be more to do.
  if (problem.status >= 500 && problem.code !== 'overloaded')
    log.error('request-failed', { requestId: c.get('requestId'), code: problem.code, err: error });
  if (problem.status === 401) c.header('WWW-Authenticate', challengeOf(problem.code));
  if (error instanceof HitError && error.retryAfter !== undefined)
    c.header('Retry-After', String(error.retryAfter));
  return c.body(JSON.stringify(problem), problem.status as ContentfulStatusCode, {
    'Content-Type': 'application/problem+json',
  });
}

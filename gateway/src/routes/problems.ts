import { z } from '@hono/zod-openapi';
import type { ErrorCode } from '@hitmachine/protocol';
import { ERRORS, HitError, problemOf } from '@hitmachine/protocol';
import type { ContentfulStatusCode } from 'hono/utils/http-status';
import type { OperationalLog } from '../log.ts';
import type { GatewayContext } from './context.ts';

export const problemSchema = z
  .strictObject({
    type: z.string(),
    status: z.int(),
    title: z.string(),
    detail: z.string(),
    code: z.enum(Object.keys(ERRORS) as [ErrorCode, ...ErrorCode[]]),
    fields: z.array(z.strictObject({ field: z.string(), detail: z.string() })).optional(),
  })
  .meta({ id: 'Problem', description: 'A problem document (RFC 9457). Never holds personal data.' });

/** The responses of the OpenAPI document for these codes: one entry a status, which names its codes. */
export function problemResponses(...codes: ErrorCode[]) {
  const statuses = new Set(codes.map((code) => ERRORS[code].status));
  return Object.fromEntries(
    [...statuses].sort().map((status) => [
      status,
      {
        description: codes.filter((code) => ERRORS[code].status === status).join(', '),
        content: { 'application/problem+json': { schema: problemSchema } },
      },
    ]),
  );
}

/** Renders anything thrown as a problem document. What nobody foresaw is logged with its stack, and not shown. */
export function respondWithProblem(c: GatewayContext, error: unknown, log: OperationalLog): Response {
  const problem = problemOf(error);
  c.set('code', problem.code);
  if (problem.status >= 500)
    log.error('request-failed', { requestId: c.get('requestId'), code: problem.code, err: error });
  if (error instanceof HitError && error.retryAfter !== undefined)
    c.header('Retry-After', String(error.retryAfter));
  return c.body(JSON.stringify(problem), problem.status as ContentfulStatusCode, {
    'Content-Type': 'application/problem+json',
  });
}

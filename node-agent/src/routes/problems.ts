import type { ErrorCode } from '@hitmachine/protocol';
import { ERRORS, HitError, problemOf, problemSchema as sharedSchema } from '@hitmachine/protocol';

const problemSchema = sharedSchema.meta({ ...sharedSchema.meta(), id: 'Problem' });

/** How to prove who you are (RFC 9110 section 11.6.1). */
export const CHALLENGE = 'Bearer realm="hit-agent"';

const header = (description: string) => ({ description, schema: { type: 'string' as const } });
const HEADERS: Readonly<Record<number, Readonly<Record<string, ReturnType<typeof header>>>>> = {
  401: {
    'WWW-Authenticate': header('`Bearer`: send the key of the agent, the file `api-key` in its directory.'),
  },
  429: { 'Retry-After': header('Seconds until the limit starts anew.') },
};

const examplesOf = (codes: readonly ErrorCode[]) =>
  Object.fromEntries(codes.map((code) => [code, { value: problemOf(new HitError(code)) }]));

/** The response of the document for codes of one status. */
export function problemResponse(first: ErrorCode, ...more: ErrorCode[]) {
  const codes = [first, ...more];
  const headers = HEADERS[ERRORS[first].status];
  return {
    description: codes.map((code) => `\`${code}\`: ${ERRORS[code].title}`).join('; '),
    ...(headers === undefined ? {} : { headers }),
    content: { 'application/problem+json': { schema: problemSchema, examples: examplesOf(codes) } },
  };
}

/** What any address can answer with, whatever else it does; for the finished document. */
export const OTHER_PROBLEMS = {
  description:
    'Any other refusal: `not-found` (404) at an address that is not in this document, `method-not-allowed` (405) for a method that the address does not take, `internal` (500).',
  headers: { Allow: header('With 405: the methods that the address takes.') },
  content: {
    'application/problem+json': {
      schema: { $ref: '#/components/schemas/Problem' },
      examples: examplesOf(['not-found', 'method-not-allowed', 'internal']),
    },
  },
};

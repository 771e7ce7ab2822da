import { z } from 'zod';
import type { ErrorCode } from '../errors.ts';
import { ERRORS } from '../errors.ts';

const CODES = Object.keys(ERRORS) as [ErrorCode, ...ErrorCode[]];
const LIST = CODES.map((code) => `- \`${code}\` (${ERRORS[code].status}): ${ERRORS[code].title}`).join('\n');

/** A problem document (RFC 9457) as both services answer with it, for a description of their API. */
export const problemSchema = z
  .strictObject({
    type: z.string().describe('`urn:hitmachine:error:` and the code'),
    status: z.int().describe('the status of the response'),
    title: z.string().describe('what the code means; the same for every problem with it'),
    detail: z.string().describe('what is the matter here, for a person: the field and the cure'),
    code: z.enum(CODES).describe(`for programs:\n${LIST}`),
    fields: z
      .array(
        z.strictObject({
          field: z
            .string()
            .describe('path of the field in the body, such as `registers.0.id`; `(body)` for the whole'),
          detail: z.string().describe('what would be accepted'),
        }),
      )
      .readonly()
      .optional()
      .describe('the fields that are not valid, the first fifty of them'),
    rule: z
      .string()
      .optional()
      .describe('the rule of a policy that refused, such as `role` or `quota-agency-day`'),
  })
  .describe('A problem document (RFC 9457). Never holds personal data.');

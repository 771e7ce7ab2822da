import { utf8 } from '@scure/base';
import { z } from 'zod';
import { HitError } from '../errors.ts';
import type { FieldError } from '../errors.ts';
import { NOT_KNOWN, fieldText } from './field-texts.ts';

// For every schema in the program, also those that a framework checks on its own: the texts of the library speak of
// types, not of fields and cures.
z.config({ customError: fieldText });

/** Fields, and names in a field, that one refusal lists: enough to mend a body, and no more than it was long. */
const MAX_LISTED = 50;
/** Stands for the whole message where a field would be named. */
const BODY = '(body)';

/**
 * The offending fields of a failed zod parse, the first fifty of them, without the offending values: those may be
 * personal data.
 */
export function fieldErrors(error: z.ZodError): FieldError[] {
  return error.issues.slice(0, MAX_LISTED).map((issue) => ({
    field: issue.path.length === 0 ? BODY : issue.path.map(String).join('.'),
    detail:
      issue.code === 'unrecognized_keys'
        ? `${NOT_KNOWN}: ${issue.keys.slice(0, MAX_LISTED).join(', ')}`
        : issue.message,
  }));
}

/** Checks a value against a schema. Throws `field-invalid` with every offending field. */
export function parseValue<T>(schema: z.ZodType<T>, value: unknown): T {
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  const fields = fieldErrors(result.error);
  throw new HitError('field-invalid', fields.map(({ field, detail }) => `${field}: ${detail}`).join('; '), {
    fields,
  });
}

/** Strict UTF-8 JSON to a checked value. Throws `malformed` or `field-invalid`. */
export function parseJson<T>(schema: z.ZodType<T>, bytes: Uint8Array): T {
  return parseValue(schema, readJson(bytes));
}

/** Strict UTF-8 JSON to a value that is not checked yet. Throws `malformed`. */
export function readJson(bytes: Uint8Array): unknown {
  try {
    return JSON.parse(utf8.encode(bytes));
  } catch (cause) {
    throw new HitError('malformed', 'the body is not JSON in UTF-8', { cause });
  }
}

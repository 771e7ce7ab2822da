import { utf8 } from '@scure/base';
import { z } from 'zod';
import { HitError } from '../errors.ts';
import type { FieldError } from '../errors.ts';
import { IS_MISSING, NOT_KNOWN, fieldText } from './field-texts.ts';

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

/**
 * The same for a person who mends a file: one line a mistake. A setting that is misspelt is not known and missing at
 * once, so what is missing beside it stands in its line.
 */
export function fieldLines(error: z.ZodError): string[] {
  const fields = fieldErrors(error).map(({ field, detail }) => {
    const path = field === BODY ? [] : field.split('.');
    return { path, detail, parent: path.slice(0, -1).join('.') };
  });
  const unknownIn = new Set(
    fields.filter(({ detail }) => detail.startsWith(NOT_KNOWN)).map(({ path }) => path.join('.')),
  );
  const missing = fields.filter(
    ({ path, detail, parent }) => detail === IS_MISSING && path.length > 0 && unknownIn.has(parent),
  );
  return fields
    .filter((field) => !missing.includes(field))
    .map(({ path, detail }) => {
      const place = path.join('.');
      const beside = missing.filter(({ parent }) => detail.startsWith(NOT_KNOWN) && parent === place);
      const names = beside.map((field) => field.path.at(-1)).join(', ');
      return `${place === '' ? '' : `${place}: `}${detail}${names === '' ? '' : `; missing here: ${names}`}`;
    });
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
  let value: unknown;
  try {
    value = JSON.parse(utf8.encode(bytes));
  } catch (cause) {
    throw new HitError('malformed', 'the body is not JSON in UTF-8', { cause });
  }
  return parseValue(schema, value);
}

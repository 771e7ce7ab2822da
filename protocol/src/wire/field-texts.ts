import type { z } from 'zod';

const KINDS: Readonly<Record<string, string>> = {
  string: 'a text',
  number: 'a number',
  int: 'a whole number',
  boolean: 'true or false',
  array: 'a list',
  object: 'an object with fields',
  record: 'an object with fields',
};

const kindOf = (value: unknown): string => {
  if (value === null) return 'nothing';
  const kind = Array.isArray(value) ? 'array' : typeof value;
  return KINDS[kind] ?? kind;
};

const QUOTABLE = ['number', 'boolean'];

function wrongKind(expected: string, input: unknown): string {
  const wanted = `${KINDS[expected] ?? expected} is wanted`;
  if (expected === 'int' && typeof input === 'number') return wanted;
  const cure = expected === 'string' && QUOTABLE.includes(typeof input) ? ': put it in quotes' : '';
  return `${wanted}, not ${kindOf(input)}${cure}`;
}

/** `at least 1 character`, and the like. */
function bound(words: string, limit: number | bigint, origin: string): string {
  const [one, many] =
    origin === 'string'
      ? ['character', 'characters']
      : ['array', 'set'].includes(origin)
        ? ['entry', 'entries']
        : [];
  const unit = limit === 1 || limit === 1n ? one : many;
  return unit === undefined ? `${words} ${limit}` : `${words} ${limit} ${unit}`;
}

function wrongUnion(alternatives: readonly (readonly z.core.$ZodIssue[])[]): string {
  const kinds = alternatives.flatMap(([first]) =>
    first?.code === 'invalid_type' && first.path.length === 0
      ? [KINDS[first.expected] ?? first.expected]
      : [],
  );
  return kinds.length === alternatives.length
    ? `${kinds.join(' or ')} is wanted`
    : 'fits none of the forms that are allowed here';
}

/**
 * What would be accepted, in our words: the text of every failed check of a zod schema that has no text of its own
 * there. Never repeats the value, which may be personal data.
 */
export const fieldText: z.core.$ZodErrorMap = (issue) => {
  if (issue.input === undefined && issue.code !== 'custom') return IS_MISSING;
  switch (issue.code) {
    case 'invalid_type':
      return wrongKind(issue.expected, issue.input);
    case 'too_small':
      if (issue.origin === 'string' && issue.minimum === 1) return 'must not be empty';
      return bound(issue.inclusive === false ? 'more than' : 'at least', issue.minimum, issue.origin);
    case 'too_big':
      return bound(issue.inclusive === false ? 'less than' : 'at most', issue.maximum, issue.origin);
    case 'not_multiple_of':
      return `a multiple of ${issue.divisor}`;
    case 'invalid_format':
      return issue.format === 'url'
        ? 'a complete address, such as https://example.org'
        : 'is not in the form that is wanted here';
    case 'invalid_value':
      return issue.values.length === 1
        ? `must be ${JSON.stringify(issue.values[0])}`
        : `one of ${issue.values.map(String).join(', ')}`;
    case 'invalid_union':
      return wrongUnion(issue.errors);
    case 'invalid_key':
    case 'invalid_element':
      return issue.issues[0]?.message ?? 'is not allowed';
    case 'unrecognized_keys':
      return `${NOT_KNOWN}: ${issue.keys.join(', ')}`;
    default:
      return 'is not allowed';
  }
};

/** The text for a field that is not there and has to be. */
export const IS_MISSING = 'is missing';
/** The text for fields that are there and are not among those of their object begins with this. */
export const NOT_KNOWN = 'not known here';

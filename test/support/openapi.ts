import { z } from '@hono/zod-openapi';

type Schema = Readonly<Record<string, unknown>>;
interface Content {
  readonly schema?: Schema;
  readonly example?: unknown;
  readonly examples?: Readonly<Record<string, { readonly value: unknown }>>;
}
interface Message {
  readonly description?: string;
  readonly headers?: Readonly<Record<string, unknown>>;
  readonly content?: Readonly<Record<string, Content>>;
}
interface Operation {
  readonly parameters?: readonly { readonly name: string; readonly description?: string }[];
  readonly requestBody?: Message;
  readonly responses: Readonly<Record<string, Message>>;
}

/** What we read of an OpenAPI document. */
export interface ApiDocument {
  readonly openapi: string;
  readonly info: { readonly version: string };
  readonly components: { readonly schemas: Readonly<Record<string, Schema>> };
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>;
}

/**
 * What is missing in a document: one line a field without a description, a JSON body without an example, an example
 * that its schema refuses, a refusal that is not told of. `examples` counts what was checked.
 */
export function reviewDocument(document: ApiDocument): { complaints: string[]; examples: number } {
  const complaints: string[] = [];
  let examples = 0;
  for (const [name, schema] of Object.entries(document.components.schemas))
    complaints.push(...reviewSchema(name, schema));
  for (const [path, methods] of Object.entries(document.paths))
    for (const [method, operation] of Object.entries(methods)) {
      const at = `${method} ${path}`;
      for (const { name, description } of operation.parameters ?? [])
        if (description === undefined) complaints.push(`${at}: parameter ${name} has no description`);
      complaints.push(...reviewRefusals(at, operation));
      for (const [status, message] of Object.entries({ body: operation.requestBody, ...operation.responses }))
        for (const [type, content] of Object.entries(message?.content ?? {})) {
          const here = `${at} ${status} ${type}`;
          if (content.schema !== undefined) complaints.push(...reviewSchema(here, content.schema));
          if (!/json/.test(type) || path === '/v1/openapi.json') continue;
          const given = examplesOf(content);
          if (given.length === 0) complaints.push(`${here}: no example`);
          examples += given.length;
          for (const example of given)
            complaints.push(...reviewExample(document, here, content, type, example));
        }
    }
  return { complaints, examples };
}

const examplesOf = ({ example, examples }: Content): unknown[] => [
  ...(example === undefined ? [] : [example]),
  ...Object.values(examples ?? {}).map(({ value }) => value),
];

function reviewRefusals(at: string, { responses }: Operation): string[] {
  const other = responses['default'];
  const told = other?.content?.['application/problem+json'] !== undefined;
  return [
    ...(told && /404/.test(other.description ?? '') && /405/.test(other.description ?? '')
      ? []
      : [`${at}: does not tell of 404 and 405`]),
    ...('401' in responses && responses['401']?.headers?.['WWW-Authenticate'] === undefined
      ? [`${at}: 401 without WWW-Authenticate`]
      : []),
  ];
}

/** Looks for a description of every field, and at every pattern, however deep. */
function reviewSchema(at: string, schema: Schema): string[] {
  const complaints: string[] = [];
  const { properties, pattern } = schema as { properties?: Record<string, Schema>; pattern?: string };
  if (pattern !== undefined && !compiles(pattern)) complaints.push(`${at}: the pattern ${pattern} is none`);
  for (const [name, property] of Object.entries(properties ?? {})) {
    if (property['description'] === undefined && property['$ref'] === undefined)
      complaints.push(`${at}.${name}: no description`);
    complaints.push(...reviewSchema(`${at}.${name}`, property));
  }
  for (const inner of ['items', 'additionalProperties'])
    if (typeof schema[inner] === 'object') complaints.push(...reviewSchema(at, schema[inner] as Schema));
  for (const inner of ['anyOf', 'oneOf', 'allOf'])
    for (const one of (schema[inner] ?? []) as Schema[]) complaints.push(...reviewSchema(at, one));
  return complaints;
}

function compiles(pattern: string): boolean {
  try {
    new RegExp(pattern, 'u');
    return !/\/[a-z]*$/.test(pattern);
  } catch {
    return false;
  }
}

function reviewExample(
  { components }: ApiDocument,
  at: string,
  { schema }: Content,
  type: string,
  example: unknown,
): string[] {
  const text = JSON.stringify({ ...schema, $defs: components.schemas });
  const local = JSON.parse(text.replaceAll('#/components/schemas/', '#/$defs/'), (name, value: unknown) =>
    // Zod reads patterns without the flag `u` that JSON Schema asks for.
    name === 'pattern' && String(value).includes('\\p{') ? undefined : value,
  ) as z.core.JSONSchema.JSONSchema;
  const checked = z.fromJSONSchema(local);
  // A stream of lines has one schema for each of its lines.
  const values = type.includes('ndjson')
    ? String(example)
        .trimEnd()
        .split('\n')
        .map((line) => JSON.parse(line) as unknown)
    : [example];
  return values.flatMap((value) => {
    const { error } = checked.safeParse(value);
    return error === undefined ? [] : [`${at}: its example is not valid: ${error.message}`];
  });
}

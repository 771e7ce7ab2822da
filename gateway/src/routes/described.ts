import type { z } from '@hono/zod-openapi';

/** A text for every field of an object, or the field itself where it has fields of its own to describe. */
type Texts<T extends z.ZodObject> = { readonly [Field in keyof T['shape']]: string | z.ZodType };

/** The same schema, with a text for every field in the OpenAPI document; a field without one does not compile. */
export function described<T extends z.ZodObject>(schema: T, texts: Texts<T>): T {
  const fields = Object.entries<z.ZodType>(schema.shape).map(([name, field]) => {
    const text = (texts as Readonly<Record<string, string | z.ZodType>>)[name] ?? field;
    return [name, typeof text === 'string' ? field.meta({ ...field.meta(), description: text }) : text];
  });
  return schema.safeExtend(Object.fromEntries(fields) as object) as unknown as T;
}

/** The same list, of entries that are described. */
export function listOf<T extends z.ZodArray>(list: T, element: T['element'], description: string): T {
  return list.clone({ ...list.def, element }).meta({ description }) as T;
}

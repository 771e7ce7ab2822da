import type { z } from 'zod';

/** A text for fields of an object, or the field itself where it has fields of its own to describe. */
type Texts<T extends z.ZodObject> = { readonly [Field in keyof T['shape']]?: string | z.ZodType };

/** The same schema, with texts for its fields where a description of an API is made of it. */
export function described<T extends z.ZodObject>(schema: T, texts: Texts<T>): T {
  const fields = Object.entries<z.ZodType>(schema.shape).map(([name, field]): [string, z.ZodType] => {
    const text = (texts as Readonly<Record<string, string | z.ZodType | undefined>>)[name] ?? field;
    return [name, typeof text === 'string' ? field.meta({ ...field.meta(), description: text }) : text];
  });
  return schema.clone({ ...schema.def, shape: Object.fromEntries(fields) });
}

/** The same list, of entries that are described. */
export function listOf<T extends z.ZodArray>(list: T, element: T['element'], description: string): T {
  return list.clone({ ...list.def, element }).meta({ description });
}

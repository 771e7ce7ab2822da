import { z } from 'zod';
import type { Path } from './placed-yaml.ts';

/** The part of JSON Schema in which settings are described. */
interface Shape {
  readonly type?: string;
  readonly properties?: Readonly<Record<string, Shape>>;
  readonly items?: Shape;
  readonly anyOf?: readonly Shape[];
  readonly additionalProperties?: Shape | boolean;
}

const shapes = new WeakMap<z.ZodType, Shape>();

/** What a schema takes, as JSON Schema. */
function shapeOf(schema: z.ZodType): Shape {
  const made =
    shapes.get(schema) ?? (z.toJSONSchema(schema, { io: 'input', unrepresentable: 'any' }) as Shape);
  shapes.set(schema, made);
  return made;
}

function within(shape: Shape | undefined, [step, ...rest]: Path): Shape[] {
  if (shape === undefined) return [];
  const ways = shape.anyOf ?? [shape];
  if (step === undefined) return [...ways];
  return ways.flatMap((way) => {
    const { additionalProperties: any } = way;
    const next =
      typeof step === 'number'
        ? way.items
        : (way.properties?.[String(step)] ?? (typeof any === 'object' ? any : undefined));
    return within(next, rest);
  });
}

/** The names that a schema has for what stands at a path. */
export function namesAt(schema: z.ZodType, path: Path): string[] {
  return within(shapeOf(schema), path).flatMap(({ properties }) => Object.keys(properties ?? {}));
}

/** A setting by its path of names, and whether it is a text. */
export interface KnownSetting {
  readonly path: readonly string[];
  readonly isText: boolean;
}

/** Every setting that a schema has outside lists, groups of them included. */
export function settingsOf(schema: z.ZodType): KnownSetting[] {
  const walk = (shape: Shape, path: readonly string[]): KnownSetting[] =>
    (shape.anyOf ?? [shape]).flatMap(({ properties }) =>
      Object.entries(properties ?? {}).flatMap(([name, inner]) => [
        { path: [...path, name], isText: inner.type === 'string' },
        ...walk(inner, [...path, name]),
      ]),
    );
  return walk(shapeOf(schema), []);
}

import { z } from 'zod';
import type { Backend, Codec, ErrorCode } from '../src/index.ts';
import { bytesToHex, constantTimeEqual, hexToBytes } from '../src/index.ts';

export type Json = null | boolean | number | string | Json[] | { [key: string]: Json };

/** One function of the protocol with its input and output as JSON, bytes as lower-case hexadecimal. */
export type Operation = (backend: Backend, input: Json) => Promise<Json>;

/** An input, to which {@link vectorFiles} adds what the operation makes of it. */
export interface Case {
  readonly name: string;
  readonly operation: string;
  readonly input: unknown;
  /** The input's bytes part by part, where a byte layout is to be shown. */
  readonly layout?: readonly (readonly [field: string, hex: string])[];
}

/** An input that must be refused, and the code of the error. */
export interface NegativeCase extends Omit<Case, 'layout'> {
  readonly error: ErrorCode;
}

/** Everything that one file of vectors is made from. */
export interface Subject {
  readonly description: string;
  readonly operations: Readonly<Record<string, Operation>>;
  readonly cases: () => Promise<{
    readonly vectors: readonly Case[];
    readonly negative: readonly NegativeCase[];
  }>;
}

/** A file of vectors as it is committed. */
export const vectorFileSchema = z.strictObject({
  description: z.string(),
  vectors: z.array(
    z.strictObject({
      name: z.string(),
      operation: z.string(),
      input: z.json(),
      layout: z.array(z.tuple([z.string(), z.string()])).optional(),
      output: z.json(),
    }),
  ),
  negative: z.array(
    z.strictObject({ name: z.string(), operation: z.string(), input: z.json(), error: z.string() }),
  ),
});
export type VectorFile = z.infer<typeof vectorFileSchema>;

/** Hexadecimal text in a vector, bytes in an operation. */
export const hex = z.string().transform((text): Uint8Array => hexToBytes(text));

/** An operation that takes what `schema` reads from the JSON input. */
export function operation<S extends z.ZodType>(
  schema: S,
  run: (backend: Backend, input: z.output<S>) => unknown,
): Operation {
  return async (backend, input) => toJson(await run(backend, schema.parse(input)));
}

/** Bytes become hexadecimal, maps become objects, and what is undefined is left out. */
export function toJson(value: unknown): Json {
  if (value instanceof Uint8Array) return bytesToHex(value);
  if (value instanceof Map) return toJson(Object.fromEntries(value));
  if (Array.isArray(value)) return value.map(toJson);
  if (typeof value === 'object' && value !== null)
    return Object.fromEntries(
      Object.entries(value)
        .filter(([, part]) => part !== undefined)
        .map(([name, part]) => [name, toJson(part)]),
    );
  if (value === null || ['string', 'number', 'boolean'].includes(typeof value)) return value as Json;
  throw new TypeError(`a ${typeof value} has no place in a vector`);
}

/** Decodes a message; an encoding of the result that differs from the input is a fault of the codec. */
export function decoding<T>(codec: Codec<T>): Operation {
  return operation(z.strictObject({ bytes: hex }), (_, { bytes }) => {
    const value = codec.decode(bytes);
    if (!constantTimeEqual(codec.encode(value), bytes)) throw new Error('a message has two encodings');
    return value;
  });
}

import { HitError, LIMITS } from '@hitmachine/protocol';
import type { GatewayContext } from './context.ts';

/** Throws `unsupported-media-type` unless the request announces `type`; parameters such as a charset are allowed. */
export function requireContentType(
  c: GatewayContext,
  type: 'application/json' | 'application/octet-stream',
): void {
  const given = c.req.header('content-type')?.split(';', 1)[0]?.trim().toLowerCase();
  if (given !== type) throw new HitError('unsupported-media-type', `send the body as ${type}`);
}

/**
 * The bytes of the body. Throws `body-too-large` as soon as it is known to exceed `max`: from the announced length,
 * or else after the bytes that were one too many.
 */
export async function readBody(c: GatewayContext, max: number = LIMITS.jsonBytes): Promise<Uint8Array> {
  const announced = c.req.header('content-length');
  if (announced !== undefined && Number(announced) > max) throw tooLarge(max);
  if (announced !== undefined && c.req.header('transfer-encoding') === undefined)
    return new Uint8Array(await c.req.raw.arrayBuffer());
  return readStream(c.req.raw.body, max);
}

async function readStream(body: ReadableStream<Uint8Array> | null, max: number): Promise<Uint8Array> {
  const parts: Uint8Array[] = [];
  let length = 0;
  for await (const part of body ?? []) {
    length += part.length;
    if (length > max) throw tooLarge(max);
    parts.push(part);
  }
  return new Uint8Array(Buffer.concat(parts));
}

const tooLarge = (max: number): HitError =>
  new HitError('body-too-large', `at most ${max} bytes are accepted here`);

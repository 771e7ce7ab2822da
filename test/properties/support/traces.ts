import { createHash } from 'node:crypto';

const HASHES = [
  'md5',
  'sha1',
  'sha256',
  'sha384',
  'sha512',
  'sha3-256',
  'blake2b512',
  'blake2s256',
  'ripemd160',
];

/** One way in which a secret could turn up somewhere. */
export interface Trace {
  readonly form: string;
  readonly bytes: Buffer;
}

/**
 * Every form in which a secret text is searched for: as it is, in UTF-16, reversed, in hex, in base64 at each of the
 * three alignments, in base64url, percent-encoded, JSON-escaped, and hashed with the usual hashes, raw and in text.
 */
export function tracesOf(secret: string): Trace[] {
  const plain = Buffer.from(secret, 'utf8');
  const traces: Trace[] = [
    { form: 'plain', bytes: plain },
    { form: 'utf-16', bytes: Buffer.from(secret, 'utf16le') },
    { form: 'reversed', bytes: Buffer.from([...secret].reverse().join('')) },
    { form: 'upper case', bytes: Buffer.from(secret.toUpperCase()) },
    { form: 'lower case', bytes: Buffer.from(secret.toLowerCase()) },
    ...textForms('', plain),
  ];
  const escaped = JSON.stringify(secret).slice(1, -1);
  if (escaped !== secret) traces.push({ form: 'JSON', bytes: Buffer.from(escaped) });
  const percent = encodeURIComponent(secret);
  if (percent !== secret) traces.push({ form: 'percent', bytes: Buffer.from(percent) });
  for (const hash of HASHES) {
    const digest = createHash(hash).update(plain).digest();
    // Hashes are often cut off: sixteen bytes are proof enough.
    traces.push(
      { form: hash, bytes: digest.subarray(0, 16) },
      ...textForms(`${hash} `, digest.subarray(0, 16)),
    );
  }
  return traces;
}

function textForms(prefix: string, bytes: Buffer): Trace[] {
  const forms: Trace[] = [
    { form: `${prefix}hex`, bytes: Buffer.from(bytes.toString('hex')) },
    { form: `${prefix}HEX`, bytes: Buffer.from(bytes.toString('hex').toUpperCase()) },
  ];
  for (const alignment of [0, 1, 2]) {
    const shifted = Buffer.concat([Buffer.alloc(alignment), bytes]);
    // Only the characters that depend on nothing but these bytes, whatever stands before and behind.
    const from = Math.ceil((alignment * 8) / 6);
    const to = Math.floor((shifted.length * 8) / 6);
    for (const encoding of ['base64', 'base64url'] as const)
      forms.push({
        form: `${prefix}${encoding}`,
        bytes: Buffer.from(shifted.toString(encoding).slice(from, to)),
      });
  }
  return forms;
}

/** A place that is searched, with its content. */
export interface Place {
  readonly name: string;
  readonly content: Uint8Array;
}

/** Every place where a secret turns up, in any form. */
export function findTraces(secrets: readonly string[], places: readonly Place[]): string[] {
  const traces = secrets.flatMap((secret) => tracesOf(secret).map((trace) => ({ secret, ...trace })));
  return places.flatMap(({ name, content }) => {
    const haystack = Buffer.from(content.buffer, content.byteOffset, content.byteLength);
    return traces
      .filter(({ bytes }) => haystack.includes(bytes))
      .map(({ secret, form }) => `${name} holds ${secret} (${form})`);
  });
}

import type { CheckedSignature, LogEvent } from '@hitmachine/protocol';
import { HitError } from '@hitmachine/protocol';
import { toBase64 } from '@hitmachine/service';

type Evidence = Extract<LogEvent, { event: 'enrolment' }>['evidence'];

/** A checked request in the form in which the log keeps it: what an auditor checks without trusting the gateway. */
export function evidenceOf(signature: CheckedSignature): Evidence {
  return { base: toBase64(signature.base), signature: toBase64(signature.signature) };
}

/**
 * The body of a signed request as the log keeps it: verbatim, so that its digest can be checked. It must be compact JSON
 * with every member once: a second one of the same name would stand in the log unseen, with whatever was put in it.
 * Throws `malformed`.
 */
export function bodyText(body: Uint8Array): string {
  let text: string;
  let compact: string;
  try {
    // A byte order mark is kept: without it the digest would be another one.
    text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(body);
    compact = JSON.stringify(JSON.parse(text));
  } catch (cause) {
    throw new HitError('malformed', 'the body is not JSON in UTF-8', { cause });
  }
  if (compact !== text)
    throw new HitError(
      'malformed',
      'the body is not compact JSON with every member once: it is kept as it is',
    );
  return text;
}

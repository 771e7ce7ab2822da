import type { CheckedSignature } from '@hitmachine/protocol';
import { encodeBase64 } from '@hitmachine/protocol';
import type { Evidence } from '../ports/audit-log.ts';

/** A checked request in the form in which the audit log keeps it. */
export function evidenceOf(signature: CheckedSignature): Evidence {
  return {
    base: encodeBase64(signature.base),
    signature: encodeBase64(signature.signature),
    bodyDigest: encodeBase64(signature.bodyDigest),
  };
}

import type { PersonTokens } from '@hitmachine/protocol';
import { bytesToHex, encodeToken } from '@hitmachine/protocol';
import type { AgencyKeys } from './keys.ts';

/** The canary's tokens: of a kind that no person can have, with a secret that only this agency knows. */
export function canaryTokens(keys: AgencyKeys, tokenTypes: readonly string[]): PersonTokens {
  const secret = bytesToHex(keys.canary.reveal());
  return new Map(tokenTypes.map((type) => [type, encodeToken('canary', type, [secret])]));
}

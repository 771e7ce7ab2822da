import { z } from 'zod';
import { decodeBase64, encodeBase64 } from '../bytes.ts';
import { HitError } from '../errors.ts';
import { base64Schema, slugSchema } from './fields.ts';
import { registersSchema } from './agency.ts';
import { sessionKeySchema } from './session-key.ts';
import { signedDocumentSchema } from './signed-document.ts';

/** Body of `POST /v1/enrolments`; the request is signed with the identity key that it brings. */
export const enrolmentRequestSchema = z.strictObject({
  agency: slugSchema,
  secret: base64Schema(32),
  identityKey: base64Schema(32),
  sessionKey: sessionKeySchema,
  registers: registersSchema,
});
export type EnrolmentRequest = z.infer<typeof enrolmentRequestSchema>;

export const rosterResponseSchema = z.strictObject({ roster: signedDocumentSchema });
export type RosterResponse = z.infer<typeof rosterResponseSchema>;

/** Body of `PUT /v1/registers`: an agency's registers as they are now. */
export const registersUpdateSchema = z.strictObject({ registers: registersSchema });
export type RegistersUpdate = z.infer<typeof registersUpdateSchema>;

/**
 * The one-time token that an administrator of the gateway hands to an agency. It names the gateway's identity key,
 * so that an agent knows from its first request on whom it talks to.
 */
export interface EnrolmentToken {
  readonly agency: string;
  readonly gatewayKey: Uint8Array;
  readonly secret: Uint8Array;
}

const PREFIX = 'hit1';

export function encodeEnrolmentToken(token: EnrolmentToken): string {
  return [PREFIX, token.agency, encodeBase64(token.gatewayKey), encodeBase64(token.secret)].join('.');
}

/** Throws `enrolment-refused` with what to do when a token was not copied whole. */
export function decodeEnrolmentToken(token: string): EnrolmentToken {
  const [prefix, agency, gatewayKey, secret, ...rest] = token.trim().split('.');
  try {
    if (prefix !== PREFIX || !slugSchema.safeParse(agency).success || rest.length > 0)
      throw new HitError('malformed');
    return {
      agency: agency as string,
      gatewayKey: decodeBase64(gatewayKey ?? '', 32),
      secret: decodeBase64(secret ?? '', 32),
    };
  } catch (cause) {
    throw new HitError(
      'enrolment-refused',
      'this is not an enrolment token: copy it whole, from "hit1." to the end, as "hit-gateway agency add" printed it',
      { cause },
    );
  }
}

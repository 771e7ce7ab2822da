import { z } from '@hono/zod-openapi';
import {
  enrolmentRequestSchema,
  evaluationRequestSchema,
  evaluationResponseSchema,
  lookupOpenedSchema,
  lookupRequestSchema,
  registersUpdateSchema,
  rosterResponseSchema,
} from '@hitmachine/protocol';

/** The messages of the protocol under the names that they have in the OpenAPI document. */
export const EnrolmentRequest = enrolmentRequestSchema.meta({ id: 'EnrolmentRequest' });
export const RosterResponse = rosterResponseSchema.meta({
  id: 'RosterResponse',
  description: 'The roster, signed by the gateway: base64url of the exact bytes that are signed.',
});
export const RegistersUpdate = registersUpdateSchema.meta({ id: 'RegistersUpdate' });
export const EvaluationRequest = evaluationRequestSchema.meta({ id: 'EvaluationRequest' });
export const EvaluationResponse = evaluationResponseSchema.meta({ id: 'EvaluationResponse' });
export const LookupRequest = lookupRequestSchema.meta({ id: 'LookupRequest' });
export const LookupOpened = lookupOpenedSchema.meta({ id: 'LookupOpened' });

/** The headers of a signed request (RFC 9421, RFC 9530), for the document. */
export const signedHeaders = z.object({
  'content-digest': z.string().meta({ description: 'RFC 9530: sha-256 of the body.' }),
  'signature-input': z.string().meta({ description: 'RFC 9421 with label "hit" and tag "hitmachine-1".' }),
  signature: z.string().meta({ description: 'RFC 9421: Ed25519 by the identity key of the agency.' }),
});

/** A JSON body or response in the document. */
export const json = <T extends z.ZodType>(schema: T) => ({ 'application/json': { schema } });
/** A binary body or response in the document. */
export const binary = { 'application/octet-stream': { schema: z.string().meta({ format: 'binary' }) } };

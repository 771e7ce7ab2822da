import { z } from '@hono/zod-openapi';
import {
  contactSchema,
  described,
  enrolmentRequestSchema,
  evaluationRequestSchema,
  evaluationResponseSchema,
  keyChangeSchema,
  listOf,
  loggedLookupsRequestSchema,
  loggedLookupsSchema,
  loggedSchema,
  lookupOpenedSchema,
  lookupRequestSchema,
  registerSchema,
  registersSchema,
  registersUpdateSchema,
  sealedQuotientSchema,
  reviewSchema,
  rosterResponseSchema,
  sessionKeySchema,
  signalReportSchema,
  signedDocumentSchema,
  tableCommitmentSchema,
} from '@hitmachine/protocol';
import * as examples from './examples.ts';

/** The messages of the protocol under the names that they have in the OpenAPI document. */

const register = described(registerSchema, {
  id: 'Identifier within the agency: lower-case letters, digits and inner hyphens. Others address it by this.',
  name: 'Name, as professionals see it.',
  areaOfLife: 'The area of life (leefgebied) that the register belongs to.',
  tokenTypes: 'The identifiers that the register holds of its clients; of those that the roster names.',
  contact: described(contactSchema, {
    name: 'Team or desk.',
    telephone: 'Telephone number, as it is to be shown.',
    email: 'E-mail address.',
    openingHours: 'When somebody answers, in words.',
  }).meta({
    description:
      'How to reach the people behind the register. What a professional sees with a hit comes sealed from the node itself.',
  }),
  tableBits:
    'For every token type, the bits of a bucket number in the tables that stand now; empty before the first import.',
  evaluationKey: "The gateway's evaluation key that those tables were made with; left out for its first.",
});
const registers = listOf(registersSchema, register, "The agency's registers, all of them.");

export const EnrolmentRequest = described(enrolmentRequestSchema, {
  agency: 'Identifier of the agency, as it was invited.',
  secret: 'The secret part of the one-time token: base64url without padding, 32 bytes.',
  identityKey: 'Ed25519 public key, base64url without padding, 32 bytes; this request is signed with it.',
  sessionKey: described(sessionKeySchema, {
    kem: 'Key encapsulation (HPKE): 0x647a is `mlkem768-x25519`, 0x0020 is `x25519`.',
    publicKey: 'Public key, base64url without padding: 1216 or 32 bytes.',
  }).meta({ description: 'The key to which other agencies seal what they ask this one.' }),
  registers,
}).meta({ id: 'EnrolmentRequest' });

export const KeyChange = described(keyChangeSchema, {
  previousIdentityKey:
    'The identity key of now: base64url without padding, 32 bytes; this request is signed with it.',
  identityKey: 'The new Ed25519 public key, base64url without padding, 32 bytes.',
  sessionKey: described(sessionKeySchema, {
    kem: 'Key encapsulation (HPKE): 0x647a is `mlkem768-x25519`, 0x0020 is `x25519`.',
    publicKey: 'Public key, base64url without padding: 1216 or 32 bytes.',
  }).meta({ description: 'The new key to which other agencies seal what they ask this one.' }),
  from: "From when the new keys are the agency's, milliseconds since 1970: as far ahead as the policy wants, or further.",
  signature:
    'Signature of the announcement by the previous identity key: base64url without padding, 64 bytes.',
  proof: 'Signature of the announcement by the new identity key.',
}).meta({ id: 'KeyChange' });

export const RosterResponse = described(rosterResponseSchema, {
  roster: described(signedDocumentSchema, {
    payload: 'The roster: base64url without padding of the exact bytes of JSON that are signed.',
    signatures: listOf(
      signedDocumentSchema.shape.signatures,
      described(signedDocumentSchema.shape.signatures.element, {
        keyId: 'Whose key: `gateway`.',
        signature:
          'Ed25519 over `hitmachine-v1 document roster`, a line feed and the bytes of the payload: base64url without padding, 64 bytes.',
      }),
      'The signatures over it.',
    ),
  }).meta({ description: 'A signed document. Check it against the key that was pinned, then read it.' }),
}).meta({ id: 'RosterResponse', description: 'The roster in force, signed by the gateway.' });

export const RegistersUpdate = described(registersUpdateSchema, { registers }).meta({
  id: 'RegistersUpdate',
});

const ELEMENTS = '32 bytes each (ristretto255, RFC 9496), one after another, base64url without padding';
const PROOF =
  'That the published key was used (RFC 9497, section 2.2.1): base64url without padding, 64 bytes';

export const EvaluationRequest = described(evaluationRequestSchema, {
  register: "One of the caller's own registers.",
  elements: `Blinded clients: ${ELEMENTS}; at most 1024.`,
  evaluationKey:
    "The evaluation key on the roster that the register's pseudonyms are made with; left out for the gateway's first.",
}).meta({ id: 'EvaluationRequest' });

export const EvaluationResponse = described(evaluationResponseSchema, {
  evaluated: `The elements times the gateway's key, in the order of the request: ${ELEMENTS}.`,
  proof: `${PROOF}.`,
}).meta({ id: 'EvaluationResponse' });

export const SealedQuotient = described(sealedQuotientSchema, {
  from: 'The evaluation key before: base64url without padding, 32 bytes.',
  to: 'The evaluation key in force: base64url without padding, 32 bytes.',
  encapsulated: "What HPKE encapsulated for the caller's session key: base64url without padding.",
  sealed: 'The scalar that takes the one to the other, sealed: base64url without padding, 48 bytes.',
}).meta({ id: 'SealedQuotient' });

export const LookupRequest = described(lookupRequestSchema, {
  rosterVersion: 'Version of the roster that the asker went by; refused when another one is in force.',
  purpose: 'Code of a purpose of the policy; `canary` for a register of your own that is being watched.',
  caseCommitment: 'SHA-256 of a random salt and the case reference: base64url without padding, 32 bytes.',
  professional: 'Pseudonym of who asks, under a key of the agency: base64url without padding, 16 bytes.',
  role: 'Code of the role in which he or she asks, one of the policy; `agent` for a canary.',
  statements: 'Codes of the statements of the purpose that were confirmed: all of them, each once.',
  approval: described(lookupRequestSchema.shape.approval.unwrap(), {
    professional: 'Pseudonym of who approved it, another one than who asks; made as that of who asks.',
    role: 'Code of the role in which he or she approved it.',
  })
    .meta({ description: 'The second professional who approved the question, where the purpose wants one.' })
    .optional(),
  breakGlass:
    'Asked without the approval that the purpose wants, in need; only where the policy allows it, and reviewed afterwards.',
  again:
    'Identifier of a lookup that you asked in the last fifteen minutes and put once more, to all or some of its registers: everything else but the version of the roster is the same as there, byte for byte. It is not counted once more.',
  registers: 'The registers that are asked: `agency/register`, each once.',
  tokenTypes: 'The token types that are asked by, the same for every person, each once.',
  persons: 'Number of persons.',
  elements: `A blinded element for every person and, within that, token type: ${ELEMENTS}.`,
}).meta({ id: 'LookupRequest' });

const logged = described(loggedSchema, {
  entry: 'The entry, byte for byte: base64url without padding of JSON in UTF-8.',
  receipt:
    'C2SP tlog-proof: the place of the entry, the inclusion proof (RFC 9162, 2.1.3) and the signed checkpoint.',
});
export const Logged = logged.meta({
  id: 'Logged',
  description: 'An entry of the log and the proof that it stands there. Keep both.',
});

const committed = tableCommitmentSchema.shape.tables;

export const TableCommitment = described(tableCommitmentSchema, {
  format: 'Names the form of this commitment.',
  epoch: 'Number of the epoch; above that of every earlier commitment of the agency.',
  day: 'The day (Dutch time) for which the tables were made.',
  tables: listOf(
    committed,
    described(committed.element, {
      register: "One of the caller's own registers.",
      tokenType: 'The token type of the table; of those that the register holds.',
      bits: 'The table has two to the power of this many buckets.',
      capacity: 'Tags in a bucket.',
      root: 'Root of the Merkle tree over the buckets: base64url without padding, 32 bytes.',
    }),
    'All tables of the epoch, each once; none while nothing was imported.',
  ),
  logHead: described(tableCommitmentSchema.shape.logHead.unwrap(), {
    sequence: 'Number of its newest entry.',
    chain: 'The chain of hashes up to there: base64url without padding, 32 bytes.',
  })
    .meta({ description: "Where the agency's own log stands, so that it cannot be written anew." })
    .optional(),
}).meta({ id: 'TableCommitment' });

export const SignalReport = described(signalReportSchema, {
  professional: 'Pseudonym of the professional, as in the lookups: base64url without padding, 16 bytes.',
  signal: 'What stands out.',
  count: 'Persons that it took.',
}).meta({ id: 'SignalReport' });

export const Review = described(reviewSchema, {
  lookupId: 'The lookup, as the gateway named it.',
  verdict: 'Whether there was reason enough to ask without approval.',
  reviewer: 'Pseudonym of who reviewed it, made as that of who asks: base64url without padding, 16 bytes.',
}).meta({ id: 'Review' });

export const LoggedLookupsRequest = described(loggedLookupsRequestSchema, {
  lookupIds: 'Lookups that your agency asked or was asked, as the gateway named them.',
}).meta({ id: 'LoggedLookupsRequest' });

const lookupsFound = loggedLookupsSchema.shape.lookups;

export const LoggedLookups = described(loggedLookupsSchema, {
  checkpoint: 'The latest published checkpoint, a signed note; left out before the first.',
  lookups: listOf(
    lookupsFound,
    described(lookupsFound.element.unwrap(), {
      entry: 'The bytes of the entry: base64url without padding.',
      index: 'Its place in the log, counted from 0.',
      proof:
        'The inclusion proof (RFC 9162, 2.1.3), from the leaf to the root: hashes, base64url, 32 bytes each.',
    }).nullable(),
    'In the order of the request, null for one that is not there or that the checkpoint does not reach. Fewer than asked where entries are large: ask for the others again.',
  ),
}).meta({ id: 'LoggedLookups' });

/** A proof as `GET /v1/log/consistency` gives it. */
export const ConsistencyProof = z
  .strictObject({
    proof: z.array(z.string().meta({ description: 'A hash: base64url without padding, 32 bytes.' })).meta({
      description: 'The hashes of the proof, in order; none when the sizes are equal or `old` is 0.',
    }),
  })
  .meta({ id: 'ConsistencyProof' });

export const LookupOpened = described(lookupOpenedSchema, {
  lookupId: 'Names the lookup from here on: base64url without padding, 16 bytes.',
  evaluated: `The elements times the gateway's key, in the order of the request: ${ELEMENTS}.`,
  proof: `${PROOF}; where the roster says that lookups have it.`,
  former: described(lookupOpenedSchema.shape.former.unwrap(), {
    evaluated: `The elements times the key before, in the order of the request: ${ELEMENTS}.`,
    proof: `${PROOF}; where the roster says that lookups have it.`,
  })
    .meta({
      description:
        'While the evaluation key changes: the same under the one before, where the asker or somebody who is asked still has it.',
    })
    .optional(),
  tickets: listOf(
    lookupOpenedSchema.shape.tickets,
    described(lookupOpenedSchema.shape.tickets.element, {
      node: 'The agency that the ticket is for.',
      ticket: 'What the node gets to see of the lookup, base64url without padding; good for a minute.',
    }),
    'One ticket a node.',
  ),
  capability: 'Bearer token for the questions of this lookup: base64url without padding, 32 bytes.',
  logged: logged.meta({ description: 'The entry of this lookup and its receipt.' }),
}).meta({ id: 'LookupOpened' });

const header = (name: keyof typeof examples.signedHeaders, description: string) =>
  z.string().meta({ description, examples: [examples.signedHeaders[name]] });

/** The headers of a signed request (RFC 9421, RFC 9530), for the document. */
export const signedHeaders = z.object({
  'content-digest': header('content-digest', 'RFC 9530: sha-256 of the body, also of an empty one.'),
  'signature-input': header(
    'signature-input',
    'RFC 9421 with label `hit`: covers method, path and content-digest. `created` and `expires` in seconds since 1970, at most 60 apart; `nonce` used once; `keyid` the agency; tag `hitmachine-1`.',
  ),
  signature: header('signature', 'RFC 9421: Ed25519 by the identity key of the agency.'),
});

/** A JSON body or response in the document. */
export const json = <T extends z.ZodType>(schema: T, example: z.input<T>) => ({
  'application/json': { schema, example },
});
/** A binary body or response in the document. */
export const binary = { 'application/octet-stream': { schema: z.string().meta({ format: 'binary' }) } };

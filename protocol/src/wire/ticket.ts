import { sha256 } from '@noble/hashes/sha2.js';
import { concatBytes, uintToBytes, utf8ToBytes } from '../bytes.ts';
import { HitError } from '../errors.ts';
import { list, message, oneOf, struct, u64, u8 } from './codec.ts';
import { digestField, idField, lookupIdField, registerField, tokenTypeField } from './fields.ts';
import { LIMITS } from './limits.ts';

/**
 * The gateway's permission for one agency to ask one node one question. It travels to the node with the question,
 * is bound into the sealing of question and answer, and is good for one use.
 *
 * `elementDigests` commit to the evaluated elements: what the asker puts before a node must be what the gateway
 * evaluated (and logged) for this very lookup, and the same at every node.
 */
export interface Ticket {
  readonly version: number;
  readonly lookupId: Uint8Array;
  readonly asker: string;
  readonly node: string;
  /** The registers of this node that may be asked; other nodes' are not told. */
  readonly registers: readonly string[];
  readonly purpose: string;
  /** The role in which the asker's professional asks. */
  readonly role: string;
  readonly grounds: Grounds;
  readonly persons: number;
  readonly elementDigests: readonly { readonly tokenType: string; readonly digest: Uint8Array }[];
  /** SHA-256 of the asker's signed request, so that three logs can be laid side by side. */
  readonly requestDigest: Uint8Array;
  readonly rosterVersion: number;
  /** The policy by which the gateway allowed it. */
  readonly policyVersion: number;
  /** Milliseconds since 1970. */
  readonly issuedAt: number;
  readonly expiresAt: number;
}

/** On what a question was allowed: by the rules as they are, with a second professional's approval, or without it in need. */
export const GROUNDS = ['plain', 'approved', 'break-glass'] as const;
export type Grounds = (typeof GROUNDS)[number];

export const TICKET_VERSION = 1;

export const ticketCodec = message<Ticket>(
  struct({
    version: u8,
    lookupId: lookupIdField,
    asker: idField,
    node: idField,
    registers: list(registerField, LIMITS.registersPerAgency),
    purpose: idField,
    role: idField,
    grounds: oneOf(...GROUNDS),
    persons: u8,
    elementDigests: list(struct({ tokenType: tokenTypeField, digest: digestField }), LIMITS.tokenTypes),
    requestDigest: digestField,
    rosterVersion: u64,
    policyVersion: u64,
    issuedAt: u64,
    expiresAt: u64,
  }),
  4_096,
);

const ELEMENTS = utf8ToBytes('hitmachine-v1 elements');
const KEYED_ELEMENTS = utf8ToBytes('hitmachine-v1 keyed elements');

/**
 * The digest that a ticket carries for the elements of one token type, in the order of the persons. It names the
 * evaluation key, except the gateway's first (`digestKeyOf`). A runtime may bring a quicker SHA-256.
 */
export function elementDigest(
  tokenType: string,
  elements: Uint8Array,
  evaluationKey?: Uint8Array,
  hash: (message: Uint8Array) => Uint8Array = sha256,
): Uint8Array {
  const type = concatBytes(uintToBytes(tokenType.length, 1), utf8ToBytes(tokenType));
  return hash(
    evaluationKey === undefined
      ? concatBytes(ELEMENTS, type, elements)
      : concatBytes(KEYED_ELEMENTS, evaluationKey, type, elements),
  );
}

/** What a receiver of a ticket checks before anything else. `now` in milliseconds. */
export function checkTicket(ticket: Ticket, expected: { node: string; asker: string; now: number }): void {
  if (ticket.version !== TICKET_VERSION)
    throw new HitError('ticket-invalid', `ticket version ${ticket.version} is not supported`);
  if (ticket.node !== expected.node) throw new HitError('ticket-invalid', 'the ticket is for another agency');
  if (ticket.asker !== expected.asker)
    throw new HitError('ticket-invalid', 'the ticket is of another agency');
  if (ticket.persons < 1 || ticket.persons > LIMITS.persons)
    throw new HitError('ticket-invalid', 'the ticket has an impossible number of persons');
  const lifetime = ticket.expiresAt - ticket.issuedAt;
  if (lifetime < 0 || lifetime > LIMITS.ticketLifetimeMs)
    throw new HitError('ticket-invalid', 'the ticket is good for longer than a ticket may be');
  if (expected.now > ticket.expiresAt + LIMITS.clockSkewMs) throw new HitError('ticket-expired');
  if (expected.now < ticket.issuedAt - LIMITS.clockSkewMs)
    throw new HitError('ticket-invalid', 'the ticket is from the future: a clock is wrong');
}

import { z } from 'zod';
import { checkTicket, elementDigest, ticketCodec } from '../../src/index.ts';
import { expand } from '../deterministic.ts';
import type { NegativeCase, Subject } from '../format.ts';
import { decoding, hex, operation } from '../format.ts';
import { Layout } from '../layout.ts';

export const ISSUED_AT = 1_767_225_600_000;

/** What the tests of other messages need of a ticket. */
export interface TicketParts {
  readonly version: number;
  readonly lookupId: Uint8Array;
  readonly asker: string;
  readonly node: string;
  readonly registers: readonly string[];
  readonly purpose: string;
  readonly role: string;
  /** Which of the grounds, counted from 0. */
  readonly grounds: number;
  readonly persons: number;
  readonly elementDigests: readonly { readonly tokenType: string; readonly digest: Uint8Array }[];
  readonly requestDigest: Uint8Array;
  readonly rosterVersion: number;
  readonly policyVersion: number;
  readonly issuedAt: number;
  readonly expiresAt: number;
}

export function layTicket(ticket: TicketParts): Layout {
  const layout = new Layout()
    .uint('version', 1, ticket.version)
    .raw('lookupId', ticket.lookupId)
    .text('asker', ticket.asker)
    .text('node', ticket.node);
  layout.list('registers', ticket.registers, (register, name) => layout.text(name, register));
  layout
    .text('purpose', ticket.purpose)
    .text('role', ticket.role)
    .uint('grounds', 1, ticket.grounds)
    .uint('persons', 1, ticket.persons);
  layout.list('elementDigests', ticket.elementDigests, ({ tokenType, digest }, name) =>
    layout.text(`${name}.tokenType`, tokenType).raw(`${name}.digest`, digest),
  );
  return layout
    .raw('requestDigest', ticket.requestDigest)
    .uint('rosterVersion', 8, ticket.rosterVersion)
    .uint('policyVersion', 8, ticket.policyVersion)
    .uint('issuedAt', 8, ticket.issuedAt)
    .uint('expiresAt', 8, ticket.expiresAt);
}

export function exampleTicket(label: string): TicketParts {
  const random = expand(label);
  return {
    version: 1,
    lookupId: random(16),
    asker: 'gemeente',
    node: 'politie',
    registers: ['aandacht', 'aangiften'],
    purpose: 'casusoverleg',
    role: 'coordinator',
    grounds: 1,
    persons: 2,
    elementDigests: ['bsn', 'name+birthdate'].map((tokenType) => ({ tokenType, digest: random(32) })),
    requestDigest: random(32),
    rosterVersion: 7,
    policyVersion: 3,
    issuedAt: ISSUED_AT,
    expiresAt: ISSUED_AT + 60_000,
  };
}

/** The gateway's permission, and what a node checks of it first. */
export const tickets: Subject = {
  description:
    'Tickets. decode-ticket: bytes to fields; encoding those gives the same bytes. element-digest: the digest that a ticket ' +
    'carries for the evaluated elements of a token type, all persons one after another; with an `evaluationKey` from the ' +
    "gateway's second on. check-ticket: what a node " +
    'with the identifier `node` checks at the time `now` (milliseconds) of a ticket of `asker`; gives true or fails.',
  operations: {
    'decode-ticket': decoding(ticketCodec),
    'element-digest': operation(
      z.strictObject({ tokenType: z.string(), elements: hex, evaluationKey: hex.optional() }),
      (_, { tokenType, elements, evaluationKey }) => elementDigest(tokenType, elements, evaluationKey),
    ),
    'check-ticket': operation(
      z.strictObject({ bytes: hex, node: z.string(), asker: z.string(), now: z.number() }),
      (_, { bytes, ...expected }) => {
        checkTicket(ticketCodec.decode(bytes), expected);
        return true;
      },
    ),
  },
  async cases() {
    const ticket = exampleTicket('tickets');
    const layout = layTicket(ticket);
    const bytes = layout.bytes();
    const asked = { node: 'politie', asker: 'gemeente', now: ISSUED_AT + 1_000 };
    const refused = (name: string, change: object, error: NegativeCase['error']): NegativeCase => ({
      name,
      operation: 'check-ticket',
      input: { bytes, ...asked, ...change },
      error,
    });
    const changed = (change: Partial<TicketParts>): { bytes: Uint8Array } => ({
      bytes: layTicket({ ...ticket, ...change }).bytes(),
    });
    return {
      vectors: [
        {
          name: 'two registers, two token types',
          operation: 'decode-ticket',
          input: { bytes },
          layout: layout.parts,
        },
        {
          name: 'two elements',
          operation: 'element-digest',
          input: { tokenType: 'bsn', elements: expand('elements')(64) },
        },
        {
          name: "two elements under the gateway's second evaluation key",
          operation: 'element-digest',
          input: {
            tokenType: 'bsn',
            elements: expand('elements')(64),
            evaluationKey: expand('evaluation key')(32),
          },
        },
        { name: 'in time', operation: 'check-ticket', input: { bytes, ...asked } },
        {
          name: 'a minute late, as far as clocks may be apart',
          operation: 'check-ticket',
          input: { bytes, ...asked, now: ISSUED_AT + 120_000 },
        },
      ],
      negative: [
        refused('too late', { now: ISSUED_AT + 120_001 }, 'ticket-expired'),
        refused('too early', { now: ISSUED_AT - 60_001 }, 'ticket-invalid'),
        refused('good for too long', changed({ expiresAt: ISSUED_AT + 120_001 }), 'ticket-invalid'),
        refused('over before it begins', changed({ expiresAt: ISSUED_AT - 1 }), 'ticket-invalid'),
        refused('for another node', { node: 'reclassering' }, 'ticket-invalid'),
        refused('of another asker', { asker: 'reclassering' }, 'ticket-invalid'),
        refused('another version', changed({ version: 2 }), 'ticket-invalid'),
        refused('no person', changed({ persons: 0 }), 'ticket-invalid'),
        refused('33 persons', changed({ persons: 33 }), 'ticket-invalid'),
        refused('cut off', { bytes: bytes.slice(0, -1) }, 'malformed'),
        refused('a byte too many', { bytes: Uint8Array.of(...bytes, 0) }, 'malformed'),
        refused('an asker in another alphabet', changed({ asker: 'g\u00e9' }), 'malformed'),
        refused('an asker that is too long', changed({ asker: 'a'.repeat(41) }), 'malformed'),
        refused('33 registers', changed({ registers: Array.from({ length: 33 }, () => 'r') }), 'malformed'),
        refused(
          'an expiry beyond 2^53',
          { bytes: bytes.map((byte, i) => (i === bytes.length - 8 ? 1 : byte)) },
          'malformed',
        ),
      ],
    };
  },
};

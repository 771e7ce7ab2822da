import type { LookupTerms, Policy, Ticket } from '@hitmachine/protocol';
import { TICKET_VERSION, encodeBase64, groundsOf, ticketCodec } from '@hitmachine/protocol';
import { HOLDER, registerOfArea } from './rosters.ts';
import type { Row } from './tables.ts';
import { words } from './tables.ts';

/** A question of a table: who asks, and what. */
export interface AskedQuestion {
  readonly asker: string;
  readonly terms: LookupTerms;
}

const PROFESSIONAL = encodeBase64(new Uint8Array(16).fill(1));
const COLLEAGUE = encodeBase64(new Uint8Array(16).fill(2));

/** Reads a row of "Questions". A register without an agency is the holder's of that area of life. */
export function questionOf(row: Row): AskedQuestion {
  const grounds = row['grounds'] ?? '';
  const [, whom, role] = /^approved by (myself as )?(\S+)$/.exec(grounds) ?? [];
  if (role === undefined && !['plain', 'break-glass'].includes(grounds))
    throw new Error(`grounds: ${grounds}`);
  return {
    asker: row['asker'] ?? '',
    terms: {
      // An asker that has not heard of the roster in force yet.
      rosterVersion: row['policy'] === 'older' ? 2 : 1,
      purpose: row['purpose'] ?? '',
      professional: PROFESSIONAL,
      role: row['role'] ?? '',
      statements: words(row['statements']),
      approval:
        role === undefined
          ? undefined
          : { professional: whom === undefined ? COLLEAGUE : PROFESSIONAL, role },
      breakGlass: grounds === 'break-glass' ? true : undefined,
      registers: words(row['registers']).map((name) =>
        name.includes('/') ? name : `${HOLDER}/${registerOfArea(name)}`,
      ),
      tokenTypes: words(row['by']),
      persons: Number(row['persons']),
    },
  };
}

/** Whether the party that a question comes to knows an older policy than the one by which it was allowed. */
const isOlder = ({ terms }: AskedQuestion): boolean => terms.rosterVersion !== 1;

/** The ticket that a gateway which checks nothing would make of a question, as it arrives at the node of its registers. */
export function ticketOf(question: AskedQuestion, policy: Policy): Ticket {
  const { asker, terms } = question;
  const [node = ''] = terms.registers[0]?.split('/') ?? [];
  return ticketCodec.decode(
    ticketCodec.encode({
      version: TICKET_VERSION,
      lookupId: new Uint8Array(16),
      asker,
      node,
      registers: terms.registers.map((name) => name.split('/')[1] ?? ''),
      purpose: terms.purpose,
      role: terms.role,
      grounds: groundsOf(terms),
      persons: terms.persons,
      elementDigests: terms.tokenTypes.map((tokenType) => ({ tokenType, digest: new Uint8Array(32) })),
      requestDigest: new Uint8Array(32),
      rosterVersion: 1,
      policyVersion: policy.version + (isOlder(question) ? 1 : 0),
      issuedAt: 0,
      expiresAt: 60_000,
    }),
  );
}

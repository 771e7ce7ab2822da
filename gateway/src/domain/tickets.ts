import type { LookupRequest, Ticket } from '@hitmachine/protocol';
import { TICKET_VERSION, groundsOf, ticketCodec } from '@hitmachine/protocol';

/** Milliseconds for which a ticket may be used. */
export const TICKET_LIFETIME_MS = 60_000;

/** What all tickets of one lookup have in common. */
export interface TicketBase {
  readonly lookupId: Uint8Array;
  readonly asker: string;
  readonly request: LookupRequest;
  /** Of the evaluated elements, for each node. */
  readonly digestsOf: (node: string) => Ticket['elementDigests'];
  readonly requestDigest: Uint8Array;
  readonly policyVersion: number;
  readonly issuedAt: number;
}

/** One encoded ticket a node; each names only the registers of that node, by their local identifiers. */
export function makeTickets(base: TicketBase): Map<string, Uint8Array> {
  const { request } = base;
  const registers = new Map<string, string[]>();
  for (const name of request.registers) {
    const [node, register] = name.split('/') as [string, string];
    registers.set(node, [...(registers.get(node) ?? []), register]);
  }
  return new Map(
    [...registers].map(([node, local]) => [
      node,
      ticketCodec.encode({
        version: TICKET_VERSION,
        lookupId: base.lookupId,
        asker: base.asker,
        node,
        registers: local,
        purpose: request.purpose,
        role: request.role,
        grounds: groundsOf(request),
        persons: request.persons,
        elementDigests: base.digestsOf(node),
        requestDigest: base.requestDigest,
        rosterVersion: request.rosterVersion,
        policyVersion: base.policyVersion,
        issuedAt: base.issuedAt,
        expiresAt: base.issuedAt + TICKET_LIFETIME_MS,
      }),
    ]),
  );
}

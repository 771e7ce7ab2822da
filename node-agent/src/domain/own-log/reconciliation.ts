import { createHash } from 'node:crypto';
import { decodeBase64, encodeBase64, hexToBytes } from '@hitmachine/protocol';
import type {
  AgencyEvent,
  AgencyLog,
  AnsweredDetail,
  LoggedEvent,
  OpenedDetail,
} from '../../ports/agency-log.ts';

/**
 * One lookup as this agency's log has it, to be laid beside the logs of the gateway and of the other agencies. Nothing
 * in it is about a person, a professional or a case, and nothing tells what came out.
 */
export interface ReconciliationLine {
  readonly agency: string;
  /** What this agency did. */
  readonly role: 'asked' | 'answered' | 'refused';
  /** Base64url, as it stands in the gateway's log. */
  readonly lookupId: string;
  /** ISO 8601, UTC. */
  readonly at: string;
  readonly purpose: string;
  readonly persons: number;
  /** Of a lookup that was asked, the agencies that it was for; of one that was answered or refused, the asker. */
  readonly others: readonly string[];
  /** SHA-256 of the signature base of the asker's request, base64url; absent in entries of before it was kept. */
  readonly requestDigest?: string;
}

type Asking = Extract<AgencyEvent, { event: 'asking' }>['detail'];
type AskedDetail = Extract<AgencyEvent, { event: 'asked' }>['detail'];

const PAGE = 1_000;

/** Every lookup that this agency asked or was asked, in the order of its log; `since` and `until` in milliseconds. */
export async function* reconciliationLines(
  log: AgencyLog,
  agency: string,
  { since = 0, until = Infinity }: { readonly since?: number; readonly until?: number } = {},
): AsyncGenerator<ReconciliationLine> {
  /** Of lookups that were begun, until they are known by the gateway's name for them. */
  const begun = new Map<string, Asking>();
  let after = 0;
  for (let page = await log.read(after, PAGE); page.length > 0; page = await log.read(after, PAGE))
    for (const entry of page) {
      after = entry.sequence;
      const line = lineOf(agency, entry, begun);
      if (line !== undefined && entry.at >= since && entry.at < until) yield line;
    }
}

function lineOf(
  agency: string,
  { event, at, lookupKey, detail }: LoggedEvent,
  begun: Map<string, Asking>,
): ReconciliationLine | undefined {
  const base = { agency, at: new Date(at).toISOString() };
  switch (event) {
    case 'asking':
      begun.set(lookupKey, detail as Asking);
      return undefined;
    case 'opened': {
      begun.delete(lookupKey);
      const { lookupId, purpose, persons, nodes, requestDigest } = detail as OpenedDetail;
      return { ...base, role: 'asked', lookupId, purpose, persons, others: nodes, requestDigest };
    }
    case 'asked': {
      // Only an entry of before `opened` was written still waits for its name here.
      const { lookupId } = detail as AskedDetail;
      const asking = begun.get(lookupKey);
      begun.delete(lookupKey);
      if (lookupId === undefined || asking === undefined) return undefined;
      const { purpose, subjects, registers } = asking;
      return {
        ...base,
        role: 'asked',
        lookupId,
        purpose,
        persons: subjects.length,
        others: nodesOf(registers),
      };
    }
    case 'answered':
    case 'refused': {
      const { asker, purpose, persons, evidence } = detail as AnsweredDetail;
      const lookupId = encodeBase64(hexToBytes(lookupKey));
      const requestDigest = createHash('sha256').update(decodeBase64(evidence)).digest('base64url');
      return { ...base, role: event, lookupId, purpose, persons, others: [asker], requestDigest };
    }
    default:
      return undefined;
  }
}

/** The agencies of registers (`agency/register`), each once. */
export function nodesOf(registers: readonly string[]): string[] {
  return [...new Set(registers.map((name) => name.split('/', 1)[0] as string))];
}

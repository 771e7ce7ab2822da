import { HitError } from '../errors.ts';
import type { SignedDocument } from '../wire/signed-document.ts';
import { digestOf } from '../wire/signed-document.ts';
import { decodeBase64 } from '../bytes.ts';
import { parseJson } from '../wire/json.ts';
import type { RosterPayload } from '../wire/roster.ts';
import { rosterSchema } from '../wire/roster.ts';
import type { SaidEntry } from './entry-check.ts';

type Kind = 'policy' | 'members';
const KINDS: readonly Kind[] = ['policy', 'members'];
const NAMES: Readonly<Record<Kind, string>> = { policy: 'the policy', members: 'the list of members' };

export type DocumentEntry = Extract<SaidEntry, { event: Kind }>;

interface Published {
  readonly version: number;
  readonly digest: string;
}

/**
 * What people decided, as the log has it: every policy and every list of members that a roster carries was published by
 * an entry before it, and no older one comes back. A change in silence shows here, whoever signed it.
 */
export class DocumentsCheck {
  readonly #published: Readonly<Record<Kind, Published[]>> = { policy: [], members: [] };
  readonly #carried: Partial<Record<Kind, number>> = {};
  #offlineKey: string | undefined;

  /** Takes an entry that tells of a published document. */
  publish({ event, version, digest }: DocumentEntry): string[] {
    const known = this.#published[event];
    const last = known.at(-1);
    // A gateway that could not tell whether the first had been written.
    if (last?.version === version && last.digest === digest) return [];
    known.push({ version, digest });
    return last === undefined || version > last.version
      ? []
      : [`it is version ${version} of ${NAMES[event]}, after version ${last.version}: versions only rise`];
  }

  /** What is wrong with the documents that a roster carries. */
  carriedBy(document: SignedDocument): string[] {
    let payload: RosterPayload;
    try {
      payload = parseJson(rosterSchema, decodeBase64(document.payload));
    } catch (error) {
      if (!(error instanceof HitError)) throw error;
      return [error.detail];
    }
    return [
      ...KINDS.flatMap((kind) => this.#carry(kind, payload[kind])),
      ...this.#keepKey(payload.gateway.offlineKey),
    ];
  }

  #carry(kind: Kind, document: SignedDocument | undefined): string[] {
    const before = this.#carried[kind];
    if (document === undefined) return [];
    const digest = digestOf(document);
    const published = this.#published[kind].find((one) => one.digest === digest);
    if (published === undefined)
      return [`it carries ${NAMES[kind]} in a form that no entry before it tells of`];
    this.#carried[kind] = Math.max(before ?? 0, published.version);
    return before === undefined || published.version >= before
      ? []
      : [`it brings back version ${published.version} of ${NAMES[kind]}, after version ${before}`];
  }

  /** Whoever runs the gateway could take the offline key away alone: that is what it is there against. */
  #keepKey(offlineKey: string | undefined): string[] {
    const before = this.#offlineKey;
    this.#offlineKey = offlineKey ?? before;
    if (before === undefined || before === offlineKey) return [];
    return [`it names ${offlineKey === undefined ? 'no' : 'another'} offline key of the federation any more`];
  }
}

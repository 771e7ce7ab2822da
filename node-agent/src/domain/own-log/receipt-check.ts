import type { Backend, LogEntry, LogKey } from '@hitmachine/protocol';
import {
  HitError,
  checkLoggedRequest,
  cosignaturesOn,
  decodeBase64,
  decodeEntry,
  logOrigin,
  utf8ToBytes,
  verifyReceipt,
  witnessName,
} from '@hitmachine/protocol';
import type { RosterKeeper } from '../membership/roster-keeper.ts';

/** The keys that this agent has pinned. */
export interface TrustedKeys {
  readonly backend: Backend;
  readonly federation: string;
  readonly log: LogKey;
  /** The identity keys of trusted agencies at a moment (milliseconds since 1970), by agency. */
  readonly agencies: ReadonlyMap<string, (at: number) => readonly Uint8Array[]>;
}

/** What a receipt proves. */
export interface CheckedReceipt {
  readonly index: number;
  /** Entries of the log that it was proved under. */
  readonly size: number;
  readonly entry: LogEntry;
  /** Whose signature stands in the entry, checked. */
  readonly signer: string | undefined;
  /** The agencies that cosigned that log as witnesses. */
  readonly cosigners: readonly string[];
}

export function trustedKeysOf(backend: Backend, keeper: RosterKeeper, gatewayKey: Uint8Array): TrustedKeys {
  const { federation, agencies } = keeper.roster;
  return {
    backend,
    federation,
    log: { origin: logOrigin(federation), publicKey: gatewayKey },
    agencies: new Map(
      agencies
        .filter(({ id }) => keeper.isTrusted(id))
        .map((agency) => {
          const keysAt = (at: number): Uint8Array[] =>
            keeper.identityKeysOf(agency, at).map((key) => decodeBase64(key, 32));
          return [agency.id, keysAt] as const;
        }),
    ),
  };
}

/** Checks a receipt without asking anybody. Throws a coded error with what is wrong. */
export function checkReceipt(
  { backend, federation, log, agencies }: TrustedKeys,
  leaf: Uint8Array,
  receipt: string,
): CheckedReceipt {
  const { index, head, checkpoint } = verifyReceipt(backend, log, leaf, receipt);
  const entry = decodeEntry(leaf);
  const names = new Map([...agencies.keys()].map((id) => [witnessName(federation, id), id]));
  const witnesses = [...names].flatMap(([name, id]) =>
    (agencies.get(id)?.(entry.at) ?? []).map((publicKey) => ({ name, publicKey })),
  );
  const cosigners = cosignaturesOn(backend, checkpoint, witnesses).map(({ name }) => names.get(name) ?? name);
  return {
    index,
    size: head.size,
    entry,
    signer: 'evidence' in entry ? checkSigner(backend, agencies, entry) : undefined,
    cosigners: [...new Set(cosigners)],
  };
}

/** The agency whose signature stands in the entry, checked. */
function checkSigner(
  backend: Backend,
  agencies: TrustedKeys['agencies'],
  entry: Extract<LogEntry, { evidence: unknown }>,
): string {
  const keys = agencies.get(entry.agency)?.(entry.at) ?? [];
  const base = decodeBase64(entry.evidence.base);
  const signature = decodeBase64(entry.evidence.signature);
  const [first] = keys;
  const key = keys.find((one) => backend.signatures.verify(one, base, signature)) ?? first;
  if (key === undefined)
    throw new HitError('unknown-agency', `there is no trusted key of ${entry.agency} on the roster`);
  checkLoggedRequest(backend, key, entry.agency, {
    base,
    signature,
    ...('body' in entry ? { body: utf8ToBytes(entry.body) } : {}),
  });
  return entry.agency;
}

import type { Backend, NoteSignature, Roster } from '@hitmachine/protocol';
import {
  COSIGNATURE_V1,
  cosignaturesOn,
  decodeBase64,
  noteKeyId,
  parseNote,
  witnessName,
} from '@hitmachine/protocol';

export interface Witness {
  readonly agency: string;
  /** Milliseconds since 1970, by the witness's clock. */
  readonly at: number;
}

/** Which agencies vouch for a checkpoint, and what else stands on it under their names. */
export interface Witnesses {
  readonly valid: readonly Witness[];
  /** Cosignatures that are wrong: nobody but a forger writes such. */
  readonly forged: readonly string[];
  /** Cosignatures that do not count. */
  readonly ignored: readonly string[];
}

/**
 * Judges the cosignatures on a checkpoint by the newest roster in the log. A cosignature by a key that an agency no
 * longer has does not count: whoever has that key now is not known.
 */
export function checkWitnesses(
  backend: Backend,
  note: string,
  roster: Roster,
  formerKeys: readonly { readonly agency: string; readonly key: string; readonly how: string }[],
): Witnesses {
  const { federation, agencies } = roster;
  const [valid, forged, ignored]: [Witness[], string[], string[]] = [[], [], []];
  const suffix = witnessName(federation, '');
  const keyOf = new Map(agencies.map(({ id, identityKey }) => [id, identityKey]));
  const isBy = (signature: NoteSignature, key: string): boolean =>
    noteKeyId({ name: signature.name, type: COSIGNATURE_V1, publicKey: decodeBase64(key, 32) }) ===
    signature.keyId;
  for (const signature of parseNote(note).signatures) {
    if (!signature.name.endsWith(suffix)) continue;
    const agency = signature.name.slice(0, -suffix.length);
    const key = keyOf.get(agency);
    if (key !== undefined && isBy(signature, key)) continue;
    const former = formerKeys.find((one) => one.agency === agency && isBy(signature, one.key));
    ignored.push(
      former === undefined
        ? `the cosignature under the name ${agency} does not count: it is by a key that is not on the roster`
        : `the cosignature of ${agency} does not count: it is by a former key; ${former.how}`,
    );
  }
  for (const [agency, key] of keyOf) {
    const witness = { name: witnessName(federation, agency), publicKey: decodeBase64(key, 32) };
    const [found] = cosignaturesOn(backend, note, [witness]);
    if (found !== undefined) valid.push({ agency, at: found.at * 1_000 });
    else if (parseNote(note).signatures.some((one) => one.name === witness.name && isBy(one, key)))
      forged.push(`the cosignature in the name of ${agency} is not by ${agency}: it is forged or damaged`);
  }
  return { valid, forged, ignored };
}

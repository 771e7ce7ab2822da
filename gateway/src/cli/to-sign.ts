import { readFile, writeFile } from 'node:fs/promises';
import type { Members, Policy, SignedDocument } from '@hitmachine/protocol';
import {
  HitError,
  MEMBERS_KIND,
  POLICY_KIND,
  decodeBase64,
  membersSchema,
  parseJson,
  policySchema,
  signedDocumentSchema,
} from '@hitmachine/protocol';
import { z } from 'zod';

/** A document on its way to the machine with the offline key and back. */
const fileSchema = z.strictObject({
  format: z.literal('hitmachine-document-1'),
  kind: z.enum([POLICY_KIND, MEMBERS_KIND]),
  document: signedDocumentSchema,
});

/** What people decide, read but not yet checked for who signed it. */
export type Decision =
  | { readonly kind: 'policy'; readonly value: Policy; readonly document: SignedDocument }
  | { readonly kind: 'members'; readonly value: Members; readonly document: SignedDocument };

export const decisionText = (kind: Decision['kind'], document: SignedDocument): string =>
  `${JSON.stringify({ format: 'hitmachine-document-1', kind, document }, undefined, 2)}\n`;

/** Writes a document to a file that is not there yet. Throws `already-exists`. */
export async function writeDecision(
  path: string,
  kind: Decision['kind'],
  document: SignedDocument,
): Promise<void> {
  try {
    await writeFile(path, decisionText(kind, document), { flag: 'wx' });
  } catch (cause) {
    throw new HitError('already-exists', `${path} is there already, or cannot be written`, { cause });
  }
}

/** Reads such a file. Throws `config-invalid`. */
export async function readDecision(path: string): Promise<Decision> {
  let bytes: Uint8Array;
  try {
    bytes = await readFile(path);
  } catch (cause) {
    throw new HitError('config-invalid', `${path} cannot be read: give the right path`, { cause });
  }
  return decisionOf(bytes, path);
}

/** The document in such a file. Throws `config-invalid`. */
export function decisionOf(bytes: Uint8Array, path: string): Decision {
  try {
    const { kind, document } = parseJson(fileSchema, new Uint8Array(bytes));
    const payload = decodeBase64(document.payload);
    return kind === POLICY_KIND
      ? { kind, document, value: parseJson(policySchema, payload) }
      : { kind, document, value: parseJson(membersSchema, payload) };
  } catch (cause) {
    throw new HitError('config-invalid', `${path} is no document to be signed, or was damaged on its way`, {
      cause,
    });
  }
}

/** Whether a file is such a document, and not a policy as people write it. */
export async function isDecision(path: string): Promise<boolean> {
  const text = await readFile(path, 'utf8').catch(() => '');
  return text.trimStart().startsWith('{') && text.includes('"hitmachine-document-1"');
}

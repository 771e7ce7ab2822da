import { readFile, writeFile } from 'node:fs/promises';
import type { Backend, Members, Policy } from '@hitmachine/protocol';
import {
  GATEWAY_KEY_ID,
  HitError,
  OFFLINE_KEY_ID,
  addSignature,
  decodeBase64,
  encodeBase64,
  keysFingerprint,
  loadSodium,
  openDocument,
} from '@hitmachine/protocol';
import type { Command } from 'commander';
import { z } from 'zod';
import { differences } from '../document-diff.ts';
import type { CliContext } from './context.ts';
import type { PassphraseOption } from './offline-key.ts';
import { readOfflineKey } from './offline-key.ts';
import type { Decision } from './to-sign.ts';
import { decisionOf, decisionText, readDecision, writeDecision } from './to-sign.ts';

interface SignOptions extends PassphraseOption {
  readonly key: string;
  readonly out?: string;
  readonly yes?: boolean;
}

/** `hit-gateway sign`: works on a machine without network, with nothing but the file and the key. */
export function addSign(program: Command, context: CliContext): void {
  program
    .command('sign')
    .description('sign a policy or a list of members with the offline key; shows what it is and asks first')
    .argument('<file>', 'what "policy publish" or "members prepare" wrote')
    .requiredOption('--key <file>', 'the offline key')
    .option('--passphrase-file <file>', 'the passphrase that the key is sealed with')
    .option('--out <file>', 'where to write what was signed')
    .option('--yes', 'sign without asking')
    .action((file: string, options: SignOptions) => sign(context, file, options));
}

async function sign(context: CliContext, file: string, options: SignOptions): Promise<void> {
  const backend = await loadSodium();
  const seed = await readOfflineKey(backend, options.key, options.passphraseFile);
  const decision = await readDecision(file);
  const memory = new SignedBefore(options.key);
  const before = await memory.last(decision.kind);
  const members = decision.kind === 'members' ? decision.value : (await memory.last('members'))?.value;
  requireGateway(backend, decision, members as Members | undefined);
  requireNext(decision, before, encodeBase64(backend.signatures.publicKey(seed)));
  for (const line of describe(decision, before)) context.explain(line);
  if (options.yes !== true) {
    const answer = await context.ask?.('Sign this? Type "yes" to sign: ');
    if (answer?.trim() !== 'yes') throw new HitError('not-allowed', 'nothing was signed');
  }
  const document = addSignature(backend, decision.kind, decision.document, { keyId: OFFLINE_KEY_ID, seed });
  const out = options.out ?? `${file.replace(/(\.to-sign)?\.json$/, '')}.signed.json`;
  await writeDecision(out, decision.kind, document);
  await memory.keep({ ...decision, document });
  context.print(out);
  const next = changesEvaluationKey(decision, before) ? 'keys rotate --activate' : `${decision.kind} publish`;
  context.explain(`Bring this file to the gateway:  hit-gateway ${next} FILE`);
}

/** That the gateway of this federation signed it too, as far as this key knows that gateway. */
function requireGateway(backend: Backend, { kind, document }: Decision, members: Members | undefined): void {
  if (members === undefined) return;
  const publicKey = decodeBase64(members.gateway.identityKey, 32);
  openDocument(backend, kind, z.json(), document, { keyId: GATEWAY_KEY_ID, publicKey });
}

/** That it follows on what this key signed last, and is meant for this key. */
function requireNext(decision: Decision, before: Decision | undefined, publicKey: string): void {
  const { kind, value } = decision;
  const refuse = (detail: string): HitError => new HitError('not-allowed', `${detail}; nothing was signed`);
  if (kind === 'members' && value.gateway.offlineKey !== publicKey)
    throw refuse('this list of members names another offline key');
  if (before === undefined) return;
  if (before.value.federation !== value.federation)
    throw refuse(
      `this is of the federation ${value.federation}, and this key signs for ${before.value.federation}`,
    );
  if (
    value.version < before.value.version ||
    (value.version === before.value.version && decision.document.payload !== before.document.payload)
  )
    throw refuse(`this is version ${value.version}, and this key has signed version ${before.value.version}`);
}

/** Whether a list of members puts a new evaluation key in force, as far as is known of the one before. */
function changesEvaluationKey({ kind, value }: Decision, before: Decision | undefined): boolean {
  if (kind !== 'members' || value.gateway.formerEvaluationKey === undefined) return false;
  return before?.kind !== 'members' || before.value.gateway.evaluationKey !== value.gateway.evaluationKey;
}

function describe({ kind, value }: Decision, before: Decision | undefined): string[] {
  const what = kind === 'policy' ? policyLines(value) : memberLines(value);
  const changed =
    before === undefined
      ? ['This key has signed none before: look at all of it.']
      : ['Other than in the last one that this key signed:', ...indented(differences(before.value, value))];
  return [
    `${kind === 'policy' ? 'Policy' : 'List of members'}, version ${value.version}, of the federation ${value.federation}:`,
    ...indented(what),
    ...changed,
  ];
}

const indented = (lines: readonly string[]): string[] =>
  lines.length === 0 ? ['  nothing'] : lines.map((line) => `  ${line}`);

const policyLines = ({ purposes }: Policy): string[] =>
  purposes.map(
    ({ code, name, legalBasis, inUse, maxPersons }) =>
      `${code}: ${name.en} (${legalBasis})${inUse ? `, at most ${maxPersons} persons a lookup` : ', not in use'}`,
  );

const memberLines = ({ gateway, agencies }: Members): string[] => [
  `the gateway, key ${keysFingerprint(gateway.identityKey)}`,
  ...evaluationKeyLines(gateway),
  ...agencies.map(
    ({ id, name, kind, identityKey, sessionKey }) =>
      `${id}: ${name} (${kind}), keys ${keysFingerprint(`${identityKey} ${sessionKey.publicKey}`)}`,
  ),
];

function evaluationKeyLines(gateway: Members['gateway']): string[] {
  const { evaluationKey, evaluationVersion = 1, formerEvaluationKey: former } = gateway;
  return [
    `its evaluation key, number ${evaluationVersion}: ${keysFingerprint(evaluationKey)}`,
    ...(former === undefined
      ? []
      : [`the one before, until all agencies have followed: ${keysFingerprint(former)}`]),
  ];
}

/** What a key signed last, beside the key: so that its keeper sees what changes, and no older version is signed again. */
class SignedBefore {
  readonly #keyFile: string;

  constructor(keyFile: string) {
    this.#keyFile = keyFile;
  }

  async last(kind: Decision['kind']): Promise<Decision | undefined> {
    const path = this.#path(kind);
    let bytes: Uint8Array;
    try {
      bytes = await readFile(path);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
      throw error;
    }
    return decisionOf(bytes, path);
  }

  async keep({ kind, document }: Decision): Promise<void> {
    await writeFile(this.#path(kind), decisionText(kind, document), { mode: 0o600 });
  }

  #path(kind: Decision['kind']): string {
    return `${this.#keyFile}.last-${kind}.json`;
  }
}

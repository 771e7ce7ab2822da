import { readFileSync } from 'node:fs';
import type { KnownKeys } from '@hitmachine/protocol';
import { HitError, decodeBase64, parseKnownKeys, parseVerifierKey } from '@hitmachine/protocol';
import { Command, CommanderError, InvalidArgumentError } from 'commander';
import { isGood, reportJson, reportLines } from './report.ts';
import { verifyExport } from './verify.ts';

export interface VerifyContext {
  /** What was asked for: standard output. */
  readonly print: (line: string) => void;
  /** What a person should know beside it: standard error. */
  readonly explain: (line: string) => void;
  /** Shows how far it is, over and over in one line; undefined where nobody looks. */
  readonly progress?: ((line: string) => void) | undefined;
}

const GOOD = 0;
const NOT_GOOD = 1;
const UNREADABLE = 2;

interface Options {
  readonly gatewayKey?: Uint8Array;
  readonly earlier?: string;
  readonly receipt?: readonly string[];
  readonly minWitnesses?: number;
  readonly agencyKeys?: string;
  readonly json?: boolean;
}

/** `hit-verify`: returns the exit code: 0 good, 1 not good, 2 it could not be read. */
export async function runVerify(argv: readonly string[], context: VerifyContext): Promise<number> {
  let code = GOOD;
  const program = new Command('hit-verify')
    .description(
      'Checks a log that "hit-gateway audit export" wrote, without the gateway and without a network: whether it is complete, unaltered, signed, witnessed and well-formed, and consistent with what was kept before. Exits with 0 when it is, 1 when it is not, 2 when it could not be read.',
    )
    .argument('<folder>', 'the exported log')
    .option(
      '--gateway-key <key>',
      'the gateway\'s key, as "hit-agent trust" of a partner shows it; without it the log is held against the key that it names itself',
      parseKey,
    )
    .option('--earlier <folder or checkpoint>', 'an export or a checkpoint of the same log from before')
    .option('--receipt <file...>', 'receipts of lookups, as agents keep them')
    .option(
      '--min-witnesses <number>',
      'agencies that must have cosigned the checkpoint (more than half of those on the newest roster, unless told)',
      parseNumber,
    )
    .option(
      '--agency-keys <file>',
      'the keys of agencies, a line for each with the agency and the fingerprint of its keys or its identity key: what "hit-agent trust" of a partner prints, or what you asked the agencies yourself; an agency that had other keys before has a line for those too',
    )
    .option('--json', 'print the report as JSON')
    .configureOutput({
      writeOut: (text) => context.print(text.trimEnd()),
      writeErr: (text) => context.explain(text.trimEnd()),
    })
    .showHelpAfterError('(add --help for the options)')
    .exitOverride()
    .action(async (folder: string, options: Options) => {
      const report = await verifyExport({
        folder,
        gatewayKey: options.gatewayKey,
        earlier: options.earlier,
        receipts: options.receipt ?? [],
        minWitnesses: options.minWitnesses,
        agencyKeys: options.agencyKeys === undefined ? undefined : readKeys(options.agencyKeys),
        progress: (entries, size) => context.progress?.(`checked ${entries} of ${size} entries`),
      });
      if (options.json === true) context.print(JSON.stringify(reportJson(report), undefined, 2));
      else for (const line of reportLines(report)) context.print(line);
      code = isGood(report) ? GOOD : NOT_GOOD;
    });
  try {
    await program.parseAsync([...argv], { from: 'user' });
    return code;
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? GOOD : UNREADABLE;
    context.explain(explanation(error));
    return UNREADABLE;
  }
}

function explanation(error: unknown): string {
  if (error instanceof HitError && error.code === 'not-found')
    return `${error.detail}: give the folder that "hit-gateway audit export" wrote`;
  if (error instanceof HitError) return error.detail;
  return error instanceof Error ? error.message : String(error);
}

/** 32 bytes in base64url, or a verifier key of C2SP signed-note. */
function parseKey(text: string): Uint8Array {
  try {
    return text.includes('+') ? parseVerifierKey(text).publicKey : decodeBase64(text, 32);
  } catch {
    throw new InvalidArgumentError('Give the 32 bytes of the key in base64url, or a verifier key (vkey).');
  }
}

function readKeys(path: string): KnownKeys {
  const text = readFileSync(path, 'utf8');
  try {
    return parseKnownKeys(text);
  } catch (error) {
    if (!(error instanceof HitError)) throw error;
    throw new HitError('malformed', `${path}: ${error.detail}`, { cause: error });
  }
}

function parseNumber(text: string): number {
  if (!/^\d{1,4}$/.test(text)) throw new InvalidArgumentError('Give a whole number.');
  return Number(text);
}

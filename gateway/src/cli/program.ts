import { HitError } from '@hitmachine/protocol';
import { Command, CommanderError } from 'commander';
import { addAgency } from './agency.ts';
import { addAudit } from './audit.ts';
import { addConfig } from './config.ts';
import { addSign } from './sign.ts';
import type { CliContext } from './context.ts';
import { addDoctor } from './doctor/doctor.ts';
import { addInit } from './init.ts';
import { addKeys } from './keys.ts';
import { addLog } from './log.ts';
import { addMembers } from './members.ts';
import { addOfflineKey } from './offline-key.ts';
import { addPolicy } from './policy.ts';
import { addServe } from './serve.ts';
import { GATEWAY_VERSION } from '../version.ts';

/** Runs a command line (without the program's own name) and returns the exit code: 0, or 1 with the reason told. */
export async function runCli(argv: readonly string[], context: CliContext): Promise<number> {
  const program = new Command('hit-gateway')
    .description(
      'The gateway of a federation of agencies: roster, evaluation, and the way between the agencies.',
    )
    .version(GATEWAY_VERSION)
    .configureOutput({
      writeOut: (text) => context.print(text.trimEnd()),
      writeErr: (text) => context.explain(text.trimEnd()),
    })
    .showHelpAfterError('(add --help for the options)')
    .exitOverride();
  addInit(program, context);
  addConfig(program, context);
  addAgency(program, context);
  addPolicy(program, context);
  addMembers(program, context);
  addOfflineKey(program, context);
  addSign(program, context);
  addKeys(program, context);
  addServe(program, context);
  let exitCode = 0;
  addDoctor(program, context, () => (exitCode = 1));
  addLog(program, context);
  addAudit(program, context);
  try {
    await program.parseAsync([...argv], { from: 'user' });
    return exitCode;
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 1;
    for (const line of explanation(error)) context.explain(line);
    return 1;
  }
}

function explanation(error: unknown): string[] {
  if (!(error instanceof HitError))
    return [`hit-gateway: ${error instanceof Error ? error.message : String(error)}`];
  const lines = error.detail.split('\n');
  // A lost disk or a locked database has its reason in what caused it.
  const cause = error.code === 'storage-failed' && error.cause instanceof Error ? [error.cause.message] : [];
  return [...lines, ...cause];
}

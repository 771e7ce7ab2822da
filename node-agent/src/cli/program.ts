import { Argument, Command, InvalidArgumentError, Option } from 'commander';
import { pino } from 'pino';
import { describeColumns } from '../adapters/sources/columns.ts';
import { listenSchema, readConfig } from '../config.ts';
import { agentDirectory } from '../directory.ts';
import { operationalLog } from '../adapters/operational-log.ts';
import { AGENT_VERSION } from '../version.ts';
import type { BatchOptions } from './batch.ts';
import { addBackup } from './add-backup.ts';
import { addConfig } from './config.ts';
import { addHandOver } from './add-hand-over.ts';
import type { EnrolOptions } from './enrol.ts';
import type { ImportOptions } from './import.ts';
import { addKeys } from './keys.ts';
import type { LogOptions } from './log.ts';
import type { LogAlarmsOptions } from './log-alarms.ts';
import type { LogExportOptions } from './log-export.ts';
import type { LogVerifyOptions } from './log-verify.ts';
import type { LookupOptions } from './lookup.ts';
import { errorText } from './print.ts';
import type { Terminal } from './print.ts';
import type { ReviewOptions } from './review.ts';
import type { ReloadSignal } from './serve.ts';
import { warnings } from './warnings.ts';
import {
  answering,
  batch,
  doctor,
  enrol,
  importFile,
  init,
  log,
  logAlarms,
  logExport,
  logVerify,
  lookup,
  receipt,
  reviewLookups,
  serveAgent,
  showPolicy,
  status,
  trust,
  trustLog,
  trustOffline,
  validatePolicy,
  verifyReceipts,
} from './when-called.ts';

export interface ProgramContext {
  readonly terminal: Terminal;
  /** The directory when no --dir is given. */
  readonly defaultDirectory: string;
  /** Aborted when `serve` is to stop. */
  readonly stopped: AbortSignal;
  /** Lets this process step back behind the agent that answers on the same machine. */
  readonly stepBack?: () => void;
  /** Aborted when an import is to stop. */
  readonly interrupted?: AbortSignal;
  /** Tells `serve` to take its rules in again. */
  readonly reload?: ReloadSignal;
}

interface DirectoryOption {
  readonly dir: string;
}

/** Runs one command. Resolves with the exit code: 0 when all is well, 1 when not. */
export async function runProgram(argv: readonly string[], context: ProgramContext): Promise<number> {
  let exitCode = 0;
  const program = buildProgram(context, (code) => (exitCode = code));
  try {
    await program.parseAsync(argv, { from: 'user' });
    return exitCode;
  } catch (error) {
    const code = (error as { code?: unknown }).code;
    // Commander has already said what is wrong with the command line.
    if (typeof code === 'string' && code.startsWith('commander.'))
      return (error as { exitCode: number }).exitCode;
    context.terminal.err(`hit-agent: ${errorText(error)}\n`);
    return 1;
  }
}

function buildProgram(context: ProgramContext, exit: (code: number) => void): Command {
  const { terminal, defaultDirectory } = context;
  const program = new Command('hit-agent')
    .description("An agency's node agent: answers blind questions, and asks them.")
    .version(AGENT_VERSION)
    // An option that a command and its parts both have belongs to what it stands behind.
    .enablePositionalOptions()
    .exitOverride()
    .configureOutput({
      writeOut: (text) => terminal.out(text.trimEnd()),
      writeErr: (text) => terminal.err(text),
    })
    .showHelpAfterError();
  const command = (name: string, description: string): Command =>
    program
      .command(name)
      .description(description)
      .option('--dir <directory>', "the agent's directory", defaultDirectory)
      .exitOverride();

  command('init', 'make the directory, settings, keys and database').action((options: DirectoryOption) =>
    init(options.dir, terminal),
  );
  command('enrol', 'bring this agency onto the roster; may be retried')
    .requiredOption('--gateway <url>', 'address of the gateway')
    .option('--token-file <file>', 'file with the one-time token from the gateway; - for standard input')
    .option('--token <token>', 'the token itself, where no other user can read the command line')
    .action((options: DirectoryOption & EnrolOptions) => enrol(options.dir, options, terminal));
  command('import', 'replace the content of a register by what its source has')
    .argument('[file]', "CSV or JSON Lines in the place of the register's own source; - for standard input")
    .requiredOption('--register <id>', 'the register, as agent.yaml calls it')
    .option('--skip-invalid', 'import the good rows, leave out the bad ones', false)
    .option('--ignore-unknown-columns', 'leave out columns that are not known', false)
    .option('--allow-shrink', 'also when more clients than maxShrink would be gone, or all', false)
    .option('--dry-run', 'say what would change, and change nothing', false)
    .option('--cache <folder>', 'beside the source: unchanged clients need not be made anew')
    .option('--wait <seconds>', 'for a gateway that goes away meanwhile', wholeNumber, 600)
    .addOption(
      new Option('--progress <form>', 'how to show progress')
        .choices(['auto', 'json', 'none'])
        .default('auto'),
    )
    .option('--json', 'print the result as JSON', false)
    .action(async (file: string | undefined, options: DirectoryOption & ImportOptions) => {
      context.stepBack?.();
      exit(await importFile(options.dir, file, options, warnings(terminal), terminal, context.interrupted));
    })
    .addHelpText('after', `\n${describeColumns()}`);
  command('serve', 'answer, ask, and keep the tables up to date, until stopped')
    .option('--listen <host:port>', "in the place of agent.yaml's listen", listenOption)
    .addOption(
      new Option('--canary-seconds <seconds>', 'time between two canaries').default(60).argParser(positive),
    )
    .action(
      (options: DirectoryOption & { listen?: { host: string; port: number }; canarySeconds: number }) => {
        const lines = pino({
          level: readConfig(agentDirectory(options.dir).config).logLevel,
          timestamp: pino.stdTimeFunctions.isoTime,
        });
        return serveAgent(
          {
            directory: options.dir,
            log: operationalLog(lines),
            setLogLevel: (level) => (lines.level = level),
            listen: options.listen,
            canaryIntervalMs: options.canarySeconds * 1000,
          },
          // Looked at here alone: from now on a signal asks to stop, while for other commands it just stops them.
          context.stopped,
          context.reload ?? (() => () => undefined),
        );
      },
    );
  command('lookup', 'ask which registers know these persons, through the running agent')
    .argument('<file>', 'JSON with a person or a list of persons; - for standard input')
    .requiredOption('--purpose <code>', 'why the question is asked')
    .requiredOption('--case <reference>', 'reference of the case')
    .requiredOption('--professional <name>', 'who asks')
    .requiredOption('--role <code>', 'the role in which he or she asks')
    .option('--confirm <codes>', 'the statements that he or she confirms; all shows them first', codeList)
    .option('--approved-by <name>', 'the second professional who approved it')
    .option('--approver-role <code>', 'the role of that one')
    .option('--break-glass <reason>', 'ask at once without that approval; it is reviewed afterwards')
    .option('--json', 'print the result as JSON', false)
    .action((file: string, options: DirectoryOption & LookupOptions) =>
      lookup(options.dir, file, options, terminal),
    );
  command('batch', 'ask about every household of a file, and report figures that name nobody')
    .argument('<file>', 'CSV with a person a row, and a column household')
    .requiredOption('--purpose <code>', 'why the questions are asked')
    .requiredOption('--case <reference>', 'reference of the case')
    .requiredOption('--professional <name>', 'who asks')
    .requiredOption('--role <code>', 'the role in which he or she asks')
    .requiredOption('--out <folder>', 'where the report goes: report.html and report.csv')
    .option('--confirm <codes>', 'the statements that he or she confirms; all shows them first', codeList)
    .option('--approved-by <name>', 'the second professional who approved it')
    .option('--approver-role <code>', 'the role of that one')
    .option('--continue', 'go on where the batch of that folder ended', false)
    .option('--smallest <number>', 'leave out numbers below this one; 1 shows all', wholeNumber, 5)
    .addOption(new Option('--language <code>', 'of the report').choices(['nl', 'en']).default('nl'))
    .option('--json', 'print the figures as JSON, small ones too', false)
    .action(async (file: string, options: DirectoryOption & BatchOptions) => {
      if (!(await batch(options.dir, file, options, context.stopped, terminal))) exit(1);
    });
  const policy = program
    .command('policy')
    .description("this agency's own rules for what it answers")
    .exitOverride();
  policy
    .command('validate')
    .description('check policy.yaml, or another file before it takes its place')
    .argument('[file]')
    .option('--dir <directory>', "the agent's directory", defaultDirectory)
    .exitOverride()
    .action((file: string | undefined, options: DirectoryOption) =>
      validatePolicy(options.dir, file, terminal),
    );
  policy
    .command('show')
    .description('what this agency answers, for each register and purpose')
    .option('--dir <directory>', "the agent's directory", defaultDirectory)
    .exitOverride()
    .action((options: DirectoryOption) => showPolicy(options.dir, terminal));
  command('answering', 'stop all answering at once, or go on with it')
    .addArgument(new Argument('<turn>').choices(['off', 'on']))
    .option('--reason <text>', 'why, for status')
    .action((turn: 'off' | 'on', options: DirectoryOption & { reason?: string }) =>
      answering(options.dir, turn, options.reason, terminal),
    );
  command('review', 'lookups that were asked in need: those that wait for a review, or the review of one')
    .argument('[lookup]', 'its identifier, as the list shows it')
    // It may begin with a hyphen.
    .allowUnknownOption()
    .addOption(
      new Option('--verdict <verdict>', 'what somebody thinks of it').choices(['justified', 'not-justified']),
    )
    .option('--by <name>', 'who reviewed it: somebody else than who asked')
    .option('--json', 'print each as a line of JSON', false)
    .action((lookupId: string | undefined, options: DirectoryOption & ReviewOptions) =>
      reviewLookups(options.dir, lookupId, options, terminal),
    );
  command('status', 'how the running agent is doing')
    .option('--json', 'print it as JSON', false)
    .action(async (options: DirectoryOption & { json: boolean }) => {
      if (!(await status(options.dir, options, terminal))) exit(1);
    });
  command('doctor', 'look at everything the agent stands on: what is wrong, and what to do')
    .option('--json', 'print it as JSON', false)
    .action(async (options: DirectoryOption & { json: boolean }) => {
      if (!(await doctor(options.dir, options, terminal))) exit(1);
    });
  const logCommand = command('log', 'what this agency asked and answered, for its privacy officer')
    .option('--after <number>', 'begin after this entry', wholeNumber, 0)
    .option('--limit <number>', 'at most so many entries', wholeNumber, 1_000)
    .option('--json', 'print each entry as a line of JSON, with all details', false)
    .action((options: DirectoryOption & LogOptions) => log(options.dir, options, terminal));
  const logPart = (name: string, description: string): Command =>
    logCommand
      .command(name)
      .description(description)
      .option('--dir <directory>', "the agent's directory", defaultDirectory)
      .exitOverride();
  logPart('verify', 'whether the log is as it was written; names the first entry that is not')
    .option(
      '--anchors <file>',
      "heads of this log that stand in the gateway's, a line of JSON each; - for input",
    )
    .option('--database <file>', 'look at a copy of agent.sqlite, without any key')
    .option('--json', 'print the result as JSON', false)
    .action(async (options: DirectoryOption & LogVerifyOptions) => {
      if (!(await logVerify(options.dir, options, terminal))) exit(1);
    });
  logPart('export', 'a line of JSON a lookup, to lay beside the logs of the gateway and of partners')
    .option('--for-reconciliation', 'without persons, professionals, cases and outcomes', false)
    .option('--since <time>', 'from this day or time (UTC) on', moment)
    .option('--until <time>', 'before this day or time (UTC)', moment)
    .action((options: DirectoryOption & LogExportOptions) => logExport(options.dir, options, terminal));
  logPart('alarms', "what is wrong with the gateway's log, and the evidence")
    .option('--all', 'also those that were settled', false)
    .option('--json', 'print each as a line of JSON', false)
    .action((options: DirectoryOption & LogAlarmsOptions) => logAlarms(options.dir, options, terminal));
  const receiptCommand = command(
    'receipt',
    "the proof that a lookup of this agency stands in the gateway's log",
  )
    .enablePositionalOptions()
    .argument('<lookup>', 'its identifier, as "hit-agent log" shows it')
    // It may begin with a hyphen.
    .allowUnknownOption()
    .option('--out <file>', 'write it into a file')
    .action((lookupId: string, options: DirectoryOption & { out?: string }) =>
      receipt(options.dir, lookupId, options, terminal),
    );
  receiptCommand
    .command('verify')
    .description('check receipts, without asking anybody')
    .argument('<files...>')
    .option('--dir <directory>', "the agent's directory", defaultDirectory)
    .exitOverride()
    .action(async (files: string[], options: DirectoryOption) => {
      if (!(await verifyReceipts(options.dir, files, terminal))) exit(1);
    });
  command('trust', "show the pinned keys, pin an agency's new ones, or go on with a log that gave alarm")
    .argument('[agency]', "an agency, log for the gateway's log, or offline for the federation's offline key")
    .option('--fingerprint <hex>', 'as the agency itself told it')
    .action((agency: string | undefined, options: DirectoryOption & { fingerprint?: string }) =>
      agency === 'log'
        ? trustLog(options.dir, options.fingerprint, terminal)
        : agency === 'offline'
          ? trustOffline(options.dir, options.fingerprint, terminal)
          : trust(options.dir, agency, options.fingerprint, terminal),
    );
  addBackup(command, terminal);
  addHandOver(command, terminal, exit, context.interrupted);
  addKeys(program, defaultDirectory, terminal);
  addConfig(program, defaultDirectory, terminal);
  return program;
}

const codeList = (text: string): string[] => text.split(',').map((code) => code.trim());

function moment(value: string): number {
  const at = /^\d{4}-\d\d-\d\d(T.*(Z|[+-]\d\d:\d\d))?$/.test(value) ? Date.parse(value) : NaN;
  if (Number.isNaN(at))
    throw new InvalidArgumentError('A day (2026-03-02) or a time (2026-03-02T08:00:00Z).');
  return at;
}

function positive(value: string): number {
  const number = Number(value);
  if (!(number > 0 && number <= 3_600)) throw new InvalidArgumentError('A number above 0, at most 3600.');
  return number;
}

function wholeNumber(value: string): number {
  if (!/^\d{1,15}$/.test(value)) throw new InvalidArgumentError('A whole number, 0 or more.');
  return Number(value);
}

function listenOption(value: string): { host: string; port: number } {
  const { success, data, error } = listenSchema.safeParse(value);
  if (!success) throw new InvalidArgumentError(`Wanted: ${error.issues[0]?.message}.`);
  return data;
}

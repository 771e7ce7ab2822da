import { setTimeout as delay } from 'node:timers/promises';
import type { TreeHead } from '@hitmachine/protocol';
import {
  HitError,
  headFingerprint,
  loadSodium,
  logOrigin,
  parseCheckpoint,
  parseNote,
  signCheckpoint,
  treeHeadAt,
} from '@hitmachine/protocol';
import type { Command } from 'commander';
import { InvalidArgumentError, Option } from 'commander';
import type { GatewayConfig } from '../config.ts';
import { readConfig } from '../config.ts';
import { exportLog } from './audit-export.ts';
import { addAuditOtlp } from './audit-otlp.ts';
import type { ReconcileOptions } from './audit-reconcile.ts';
import { reconcile } from './audit-reconcile.ts';
import type { CliContext, DirectoryOptions } from './context.ts';
import { directoryOption } from './context.ts';
import type { GatewayFiles } from './gateway-files.ts';
import { gatewayFiles, readSeeds } from './gateway-files.ts';
import type { GatewayStore } from './gateway-store.ts';
import { openGatewayStore } from './gateway-store.ts';
import { noteReadingHere, readerName } from './reader.ts';

interface ExportOptions extends DirectoryOptions {
  readonly out: string;
  readonly to?: number;
}

/** `hit-gateway audit export`, `audit checkpoint`, `audit head`, `audit reconcile` and `audit otlp`. All of them work while the gateway runs. */
export function addAudit(program: Command, context: CliContext): void {
  const audit = program.command('audit').description('what an auditor checks elsewhere: see "hit-verify"');
  audit
    .command('export')
    .description('write the log, its proofs and the rosters into a folder; the log says that it was done')
    .requiredOption('--out <folder>', 'folder that is not there yet, or empty')
    .addOption(new Option('--to <size>', 'only the first entries of the log').argParser(wholeNumber))
    .addOption(directoryOption(context))
    .action((options: ExportOptions) => exportCommand(context, options));
  audit
    .command('checkpoint')
    .description("print the latest published checkpoint, with the partners' cosignatures")
    .addOption(directoryOption(context))
    .action((options: DirectoryOptions) => checkpointCommand(context, options));
  audit
    .command('head')
    .description('print size and fingerprint of the log, for an administrator who asks by telephone')
    .addOption(new Option('--entries <size>', 'the log of so many entries').argParser(wholeNumber))
    .addOption(directoryOption(context))
    .action((options: DirectoryOptions & { readonly entries?: number }) => headCommand(context, options));
  audit
    .command('reconcile')
    .description('lay the logs of agencies beside that of the gateway: what is in one and not in another')
    .argument('<files...>', 'made by the agencies with "hit-agent log export --for-reconciliation"')
    .option('--export <folder>', "an export of the gateway's log, in the place of its database")
    .addOption(new Option('--since <time>', 'only lookups from this day or time (UTC) on').argParser(moment))
    .addOption(new Option('--until <time>', 'only lookups before this day or time (UTC)').argParser(moment))
    .option('--json', 'print the differences as JSON', false)
    .addOption(directoryOption(context))
    .action(async (files: string[], options: ReconcileOptions & DirectoryOptions) => {
      const open = async () => (await opened(options.dir)).store;
      if (!(await reconcile(context, files, options, open)))
        throw new HitError('log-inconsistent', 'the logs do not agree: the differences are listed above');
    });
  addAuditOtlp(audit, context, { reader: readerName, moment });
}

interface Opened {
  readonly files: GatewayFiles;
  readonly config: GatewayConfig;
  readonly store: GatewayStore;
}

async function opened(directory: string): Promise<Opened> {
  const files = gatewayFiles(directory);
  const config = readConfig(files.config);
  return { files, config, store: await openGatewayStore(files, config) };
}

async function exportCommand(context: CliContext, options: ExportOptions): Promise<void> {
  const gateway = await opened(options.dir);
  const { config, store } = gateway;
  try {
    const checkpoint = await checkpointFor(gateway, options.to);
    // First: an export that cannot be logged is not made.
    await noteReadingHere(store.auditLog, `the first ${checkpoint.head.size} entries`);
    let shown = 0;
    const { size } = await exportLog(
      {
        ...store,
        federation: config.federation,
        checkpoint,
        now: Date.now(),
        progress(entries, all) {
          if (entries - shown < PROGRESS_EVERY) return;
          shown = entries;
          context.explain(`${entries} of ${all} entries`);
        },
      },
      options.out,
    );
    context.print(`wrote ${size} entries to ${options.out}`);
    context.explain(`Check them anywhere: hit-verify ${options.out} --gateway-key KEY`);
  } finally {
    await store.close();
  }
}

const PROGRESS_EVERY = 50_000;

async function checkpointCommand(context: CliContext, options: DirectoryOptions): Promise<void> {
  const { store } = await opened(options.dir);
  try {
    const latest = await store.published.latest();
    if (latest === undefined)
      throw new HitError('not-found', 'no checkpoint was published yet: start the gateway and wait a moment');
    context.print(latest.note.trimEnd());
  } finally {
    await store.close();
  }
}

async function headCommand(
  context: CliContext,
  options: DirectoryOptions & { readonly entries?: number },
): Promise<void> {
  const { store } = await opened(options.dir);
  try {
    const { size: all } = await store.auditLog.head();
    const size = options.entries ?? all;
    if (size > all) throw new HitError('field-invalid', `--entries: the log has ${all} entries`);
    context.print(`${size} ${headFingerprint(await treeHeadAt(store.auditLog.hashes, size))}`);
  } finally {
    await store.close();
  }
}

/**
 * The latest published checkpoint. With a size that none was published for, and before there was one, the gateway's
 * key signs the log of that size anew; nobody has cosigned that.
 */
async function checkpointFor(
  { files, config, store }: Opened,
  size: number | undefined,
): Promise<{ readonly head: TreeHead; readonly note: string }> {
  const note = await cosignedNote(store);
  const published = note === undefined ? undefined : { head: parseCheckpoint(note).head, note };
  if (published !== undefined && (size === undefined || published.head.size === size)) return published;
  const { size: all } = await store.auditLog.head();
  const wanted = size ?? all;
  if (wanted > all) throw new HitError('field-invalid', `--to: the log has ${all} entries`);
  const backend = await loadSodium();
  const { identitySeed } = await readSeeds(backend, files, config);
  const head = await treeHeadAt(store.auditLog.hashes, wanted);
  return { head, note: signCheckpoint(backend, identitySeed.reveal(), logOrigin(config.federation), head) };
}

/** Times, and milliseconds between them, that the command looks again for cosignatures: beyond the next checkpoint. */
const LOOKS = 35;
const LOOK_EVERY_MS = 200;

/** The latest checkpoint, cosigned by more than half of the agencies if that comes soon: fewer are told as a finding. */
async function cosignedNote({ published, directory }: GatewayStore): Promise<string | undefined> {
  const witnesses = await published.witnesses();
  const agencies = (await directory.agencies()).filter(({ enrolment }) => enrolment !== undefined).length;
  for (let looks = 1; ; looks++) {
    const latest = await published.latest();
    // One is the log's own.
    const cosigned = latest !== undefined && parseNote(latest.note).signatures.length - 1 > agencies / 2;
    if (cosigned || witnesses.length === 0 || looks === LOOKS) return latest?.note;
    await delay(LOOK_EVERY_MS);
  }
}

function wholeNumber(text: string): number {
  const number = Number(text);
  if (!/^\d+$/.test(text) || !Number.isSafeInteger(number))
    throw new InvalidArgumentError('Give a number of entries.');
  return number;
}

function moment(text: string): number {
  const at = /^\d{4}-\d\d-\d\d(T.*(Z|[+-]\d\d:\d\d))?$/.test(text) ? Date.parse(text) : Number.NaN;
  if (Number.isNaN(at))
    throw new InvalidArgumentError('Give a day (2026-03-02) or a time (2026-03-02T08:00:00Z).');
  return at;
}

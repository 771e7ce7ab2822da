import { resolve } from 'node:path';
import { HitError } from '@hitmachine/protocol';
import type { Command } from 'commander';
import { Option } from 'commander';
import { processingLogSchema } from '../console-config.ts';
import { readConfig } from '../config.ts';
import { noteReading } from '../domain/auditors.ts';
import { sendProcessingRecords } from '../domain/processing-records.ts';
import { openProcessingLog } from './console.ts';
import type { CliContext, DirectoryOptions } from './context.ts';
import { directoryOption } from './context.ts';
import { gatewayFiles, systemRandom } from './gateway-files.ts';
import { openGatewayStore } from './gateway-store.ts';
import { readPrivate } from './private-file.ts';

interface OtlpOptions extends DirectoryOptions {
  readonly endpoint: string;
  readonly headersFile?: string;
  readonly from?: number;
  readonly to?: number;
}

/** `hit-gateway audit otlp`: lookups to a Logboek Dataverwerkingen. Works while the gateway runs. */
export function addAuditOtlp(
  audit: Command,
  context: CliContext,
  own: { readonly reader: () => string; readonly moment: (text: string) => number },
): void {
  audit
    .command('otlp')
    .description('send the lookups in the log to a Logboek Dataverwerkingen (OTLP/HTTP, JSON)')
    .requiredOption('--endpoint <url>', 'where it takes traces: https://HOST/v1/traces')
    .option('--headers-file <file>', 'lines "Name: value" to send along, such as one with a key (chmod 600)')
    .addOption(
      new Option('--from <time>', 'only lookups from this day or time (UTC) on').argParser(own.moment),
    )
    .addOption(new Option('--to <time>', 'only lookups before this day or time (UTC)').argParser(own.moment))
    .addOption(directoryOption(context))
    .action(async (options: OtlpOptions) => {
      const { success, error } = processingLogSchema.shape.endpoint.safeParse(options.endpoint);
      if (!success)
        throw new HitError('config-invalid', `--endpoint: ${error.issues[0]?.message ?? 'not valid'}`);
      const sent = await send(options, own.reader());
      context.print(`${sent} ${sent === 1 ? 'lookup' : 'lookups'} sent; every record was acknowledged`);
    });
}

async function send(options: OtlpOptions, reader: string): Promise<number> {
  const files = gatewayFiles(options.dir);
  const config = readConfig(files.config);
  const headers =
    options.headersFile === undefined
      ? undefined
      : (await readPrivate(resolve(options.headersFile), 'config-invalid')).toString('utf8');
  const processingLog = openProcessingLog(options.endpoint, headers);
  const store = await openGatewayStore(files, config);
  try {
    const runtime = { now: Date.now, random: systemRandom };
    const { from, to } = options;
    const range = [from, to]
      .map((time) => (time === undefined ? '' : new Date(time).toISOString()))
      .join('/');
    // First: what cannot be logged is not sent.
    await noteReading(
      { ...store, runtime },
      reader,
      'export',
      `otlp ${range} to ${new URL(options.endpoint).host}`,
    );
    return await sendProcessingRecords({ ...store, processingLog }, config.federation, { from, to });
  } finally {
    await store.close();
  }
}

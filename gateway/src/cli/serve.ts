import { basename } from 'node:path';
import type { Command } from 'commander';
import { HitError, loadSodium } from '@hitmachine/protocol';
import { RunningSettings, onRuntime } from '@hitmachine/service';
import { pino } from 'pino';
import type { Address, GatewayConfig } from '../config.ts';
import { takeServingLock } from '../adapters/sqlite/serving-lock.ts';
import { listenSchema, readConfig, readPlacedConfig } from '../config.ts';
import { openConsole } from './console.ts';
import { gatewayFiles, readSeeds, systemRandom } from './gateway-files.ts';
import { openServingStore } from './gateway-store.ts';
import { watchKeystore } from './keystore-watch.ts';
import type { OperationalLog } from '../log.ts';
import { operationalLog } from '../log.ts';
import { readPolicy } from '../policy-file.ts';
import { startGateway } from '../start-gateway.ts';
import { tlsFiles } from '../tls-files.ts';
import type { CliContext, DirectoryOptions } from './context.ts';
import { directoryOption } from './context.ts';

/** `hit-gateway serve`: runs until SIGTERM or SIGINT. */
export function addServe(program: Command, context: CliContext): void {
  program
    .command('serve')
    .description('start the gateway; logs JSON lines to standard output')
    .addOption(directoryOption(context))
    .option('--listen <host:port>', 'where to listen, instead of what gateway.yaml says')
    .action(serve);
}

async function serve(options: DirectoryOptions & { readonly listen?: string }): Promise<void> {
  const files = gatewayFiles(options.dir);
  const config = readConfig(files.config);
  const at = options.listen === undefined ? config.listen : parseListen(options.listen);
  const backend = onRuntime(await loadSodium());
  const seeds = await readSeeds(backend, files, config);
  const console = await openConsole(files, config.console);
  const lock = takeServingLock(files.lock);
  const lines = pino({
    base: null,
    level: config.logLevel,
    timestamp: pino.stdTimeFunctions.isoTime,
  });
  const log = operationalLog(lines);
  const store = await openServingStore(files, config, seeds, log);
  try {
    const gateway = await startGateway({
      backend,
      seeds,
      federation: config.federation,
      firstPolicy: () => readPolicy(files.policy, config.federation),
      listen: at,
      tls:
        config.tls &&
        tlsFiles(files.directory, config.tls, ({ message }) =>
          log.error('renewed-file-refused', { reason: message }),
        ),
      store,
      replicas: config.replicas && store.registry && { ...config.replicas, registry: store.registry },
      console,
      metrics: config.metrics,
      runtime: { now: Date.now, random: systemRandom },
      log,
    }).catch((error: unknown) => {
      throw cannotStart(error, options.listen === undefined ? 'gateway.yaml: listen' : '--listen', at);
    });
    log.info('listening', { url: gateway.url });
    if (gateway.metricsUrl !== undefined) log.info('metrics-listening', { url: gateway.metricsUrl });
    const settings = openSettings(files.config, log, ({ logLevel }) => (lines.level = logLevel));
    const keystore = watchKeystore(
      files.keystore,
      () => readSeeds(backend, files, config),
      (changed) => gateway.takeKeys(changed),
      log,
    );
    const reload = (): void => {
      settings.reload();
      gateway.reload();
      keystore.look();
    };
    process.on('SIGHUP', reload);
    await stopSignal();
    process.off('SIGHUP', reload);
    log.info('stopping');
    await keystore.stop();
    await gateway.close();
  } finally {
    await store.close();
    lock.release();
  }
  log.info('stopped');
}

/** The settings of the running gateway: how much is logged is taken in while it runs. */
const openSettings = (
  file: string,
  log: OperationalLog,
  setLogLevel: (config: GatewayConfig) => void,
): RunningSettings<GatewayConfig> =>
  new RunningSettings(
    { name: basename(file), program: 'this gateway' },
    () => readPlacedConfig(file),
    {
      reloaded: (changed) => log.info('reloaded', { changed }),
      needsRestart: (settings) => log.warn('reload-needs-restart', { settings }),
      refused: (reason) => log.error('reload-refused', { reason }),
    },
    [{ has: (setting) => setting === 'logLevel', take: setLogLevel }],
  );

function parseListen(text: string): Address {
  const { success, data, error } = listenSchema.safeParse(text);
  if (!success) throw new HitError('config-invalid', `--listen: ${error.issues[0]?.message ?? 'not valid'}`);
  return data;
}

function stopSignal(): Promise<void> {
  return new Promise((resolve) => {
    for (const signal of ['SIGTERM', 'SIGINT'] as const) process.once(signal, () => resolve());
  });
}

const LISTEN_ERRORS: Readonly<Record<string, string>> = {
  EADDRINUSE: 'is taken by another program',
  EACCES: 'may not be used by this user',
  EADDRNOTAVAIL: 'is not an address of this machine',
  ENOTFOUND: 'is not a name that can be resolved',
};

function cannotStart(error: unknown, where: string, { host, port }: Address): unknown {
  if (error instanceof HitError && error.code === 'config-invalid')
    return new HitError('config-invalid', `gateway.yaml: ${error.detail}`, { cause: error });
  const reason = LISTEN_ERRORS[(error as NodeJS.ErrnoException).code ?? ''];
  if (reason === undefined) return error;
  return new HitError('config-invalid', `${where}: ${host}:${port} ${reason}`, { cause: error });
}

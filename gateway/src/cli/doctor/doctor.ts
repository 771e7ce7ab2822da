import { loadSodium } from '@hitmachine/protocol';
import type { Finding } from '@hitmachine/service';
import { findingsText, look, ok } from '@hitmachine/service';
import type { Command } from 'commander';
import type { GatewayConfig } from '../../config.ts';
import { readConfig } from '../../config.ts';
import { GATEWAY_VERSION } from '../../version.ts';
import type { CliContext, DirectoryOptions } from '../context.ts';
import { directoryOption } from '../context.ts';
import type { GatewayFiles } from '../gateway-files.ts';
import { gatewayFiles, readSeeds } from '../gateway-files.ts';
import { lookAtCertificates, lookAtDisk, lookAtFiles, lookAtPorts, lookAtSettings } from './machine.ts';
import { lookAtConsole, lookAtRedis, lookAtStore } from './services.ts';

/** `hit-gateway doctor` */
export function addDoctor(program: Command, context: CliContext, somethingIsWrong: () => void): void {
  program
    .command('doctor')
    .description('look at everything the gateway stands on: what is wrong, and what to do')
    .addOption(directoryOption(context))
    .option('--json', 'print it as JSON', false)
    .action(async ({ dir, json }: DirectoryOptions & { readonly json: boolean }) => {
      const findings = await examine(gatewayFiles(dir));
      context.print(findingsText(GATEWAY_VERSION, findings, { json }));
      if (findings.some(({ result }) => result === 'wrong')) somethingIsWrong();
    });
}

/** Everything, whether the gateway runs or not; what stands on something that is wrong is not looked at. */
async function examine(files: GatewayFiles): Promise<readonly Finding[]> {
  const found: Finding[] = [
    ok('version', `hit-gateway ${GATEWAY_VERSION}, Node.js ${process.versions.node}`),
  ];
  const add = async (check: string, work: Parameters<typeof look>[1]): Promise<void> => {
    found.push(...(await look(check, work)));
  };
  await add('settings', () => lookAtSettings(files));
  let config: GatewayConfig;
  try {
    config = readConfig(files.config);
  } catch {
    return found;
  }
  await add('file permissions', () => lookAtFiles(files));
  await add('disk', () => lookAtDisk(files));
  await add('ports', () => lookAtPorts(files, config));
  await add('certificate', () => lookAtCertificates(files, config));
  await add('keys', async () => {
    await readSeeds(await loadSodium(), files, config);
    return [ok('keys', 'the key store opens')];
  });
  await add('database', () => lookAtStore(files, config));
  await add('Redis', () => lookAtRedis(files, config));
  await add('console', () => lookAtConsole(config));
  return found;
}

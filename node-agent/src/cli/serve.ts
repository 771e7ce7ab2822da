import { rmSync } from 'node:fs';
import { writeSecretFile } from '../directory.ts';
import type { StartOptions } from '../start-agent.ts';
import { startAgent } from '../start-agent.ts';
import { addressFile } from './ask-agent.ts';

/** `hit-agent serve`: runs until it is told to stop, and lets what runs come to its end. */
export async function serveAgent(options: StartOptions, stopped: AbortSignal): Promise<void> {
  const { log, directory } = options;
  const agent = await startAgent(options);
  writeSecretFile(addressFile(directory), `${agent.url}\n`);
  log.info({ event: 'listening', url: agent.url });
  if (!stopped.aborted)
    await new Promise<void>((resolve) => {
      stopped.addEventListener('abort', () => resolve(), { once: true });
    });
  log.info({ event: 'stopping' });
  rmSync(addressFile(directory), { force: true });
  await agent.close();
  log.info({ event: 'stopped' });
}

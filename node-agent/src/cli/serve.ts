import { HitError } from '@hitmachine/protocol';
import type { StartOptions } from '../start-agent.ts';
import { startAgent } from '../start-agent.ts';
import { noteRunning, removeNote, runningAgent } from './running-agent.ts';

/** `hit-agent serve`: runs until it is told to stop, and lets what runs come to its end. */
export async function serveAgent(options: StartOptions, stopped: AbortSignal): Promise<void> {
  const { log, directory } = options;
  const other = runningAgent(directory);
  if (other !== undefined)
    throw new HitError(
      'already-exists',
      `an agent serves from ${directory} already (process ${other.pid}, ${other.url})`,
    );
  const agent = await startAgent(options);
  noteRunning(directory, { url: agent.url, pid: process.pid });
  log.info({ event: 'listening', url: agent.url });
  if (!stopped.aborted)
    await new Promise<void>((resolve) => {
      stopped.addEventListener('abort', () => resolve(), { once: true });
    });
  log.info({ event: 'stopping' });
  removeNote(directory);
  await agent.close();
  log.info({ event: 'stopped' });
}

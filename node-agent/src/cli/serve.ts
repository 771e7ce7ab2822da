import { HitError } from '@hitmachine/protocol';
import { readApiKey } from '../directory.ts';
import { openAgent } from '../open-agent.ts';
import type { StartOptions } from '../start-agent.ts';
import { startAgent } from '../start-agent.ts';
import { checkTokenTypes } from './check-token-types.ts';
import { noteRunning, removeNote, runningAgent } from './running-agent.ts';

/** Calls back whenever the agent is asked to take its rules in again, until the function that it returns is called. */
export type ReloadSignal = (asked: () => void) => () => void;

/** `hit-agent serve`: runs until it is told to stop, and lets what runs come to its end. */
export async function serveAgent(
  options: StartOptions,
  stopped: AbortSignal,
  reload: ReloadSignal,
): Promise<void> {
  const { log, directory } = options;
  const other = runningAgent(directory);
  if (other !== undefined)
    throw new HitError(
      'already-exists',
      `an agent serves from ${directory} already (process ${other.pid}, ${other.url})`,
    );
  await checkSettings(directory);
  const agent = await startAgent(options);
  noteRunning(directory, { url: agent.url, pid: process.pid });
  log.info({ event: 'listening', url: agent.url });
  const forget = reload(() => agent.reload());
  if (!stopped.aborted)
    await new Promise<void>((resolve) => {
      stopped.addEventListener('abort', () => resolve(), { once: true });
    });
  forget();
  log.info({ event: 'stopping' });
  removeNote(directory);
  await agent.close();
  log.info({ event: 'stopped' });
}

/** What would not keep an agent from starting, but from doing what its administrator expects of it. */
async function checkSettings(directory: string): Promise<void> {
  const agent = await openAgent(directory);
  try {
    readApiKey(agent.directory);
    await checkTokenTypes(agent);
  } catch (error) {
    // Then it cannot be known; an agent starts without its gateway, and status shows what it does not match on.
    if (!(error instanceof HitError) || error.code !== 'gateway-unreachable') throw error;
  } finally {
    await agent.database.close();
  }
}

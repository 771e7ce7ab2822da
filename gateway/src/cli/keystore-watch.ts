import { stat } from 'node:fs/promises';
import type { GatewaySeeds } from '../domain/keys.ts';
import type { OperationalLog } from '../log.ts';

/** Milliseconds between two looks at the file. */
const LOOK_EVERY_MS = 1_000;

export interface KeystoreWatch {
  /** Reads it now, also when the file is as it was. */
  look(): void;
  stop(): Promise<void>;
}

/**
 * Reads the key store again when the file has changed, and hands on what is in it. One that cannot be read is told once a
 * change: what was read before stays in use.
 */
export function watchKeystore(
  path: string,
  read: () => Promise<GatewaySeeds>,
  take: (seeds: GatewaySeeds) => Promise<void>,
  log: OperationalLog,
): KeystoreWatch {
  let seen = '';
  let looking: Promise<void> | undefined;
  const look = async (always: boolean): Promise<void> => {
    const now = await stateOf(path);
    if (now === seen && !always) return;
    seen = now;
    try {
      await take(await read());
    } catch (error) {
      log.error('keystore-refused', { reason: (error as Error).message });
    }
  };
  const start = (always: boolean): void => {
    looking = (looking ?? Promise.resolve()).then(() => look(always));
  };
  // It may have changed since it was read at the start.
  start(true);
  const timer = setInterval(() => start(false), LOOK_EVERY_MS);
  timer.unref();
  return {
    look: () => start(true),
    async stop() {
      clearInterval(timer);
      await looking;
    },
  };
}

/** Which file it is, and when its content or its rights changed last. */
async function stateOf(path: string): Promise<string> {
  try {
    const { ino, size, ctimeNs } = await stat(path, { bigint: true });
    return `${ino} ${size} ${ctimeNs}`;
  } catch (error) {
    return String((error as NodeJS.ErrnoException).code);
  }
}

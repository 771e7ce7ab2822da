import { HitError } from '@hitmachine/protocol';
import type { OperationalLog } from '../log.ts';
import type { Directory, HeldKeys } from '../ports/directory.ts';
import type { GatewayKeys } from './keys.ts';

/** Milliseconds between two words of a process, and after which one that says nothing counts as gone. */
const TELL_EVERY_MS = 5_000;
const LIVES_MS = 20_000;

interface TellingDeps {
  readonly directory: Directory;
  readonly keys: Pick<GatewayKeys, 'evaluations'>;
  /** This process, and the machine that it runs on. */
  readonly replica: string;
  readonly host: string;
  readonly log: OperationalLog;
}

/** Says again and again which evaluation keys this process holds, until it stops; `tell` says it at once. Never rejects. */
export async function keepTellingKeys(
  deps: TellingDeps,
): Promise<{ tell(): Promise<void>; stop(): Promise<void> }> {
  const { directory, keys, replica, host, log } = deps;
  let last = Promise.resolve();
  let failing = false;
  const inTurn = (work: () => Promise<void>): Promise<void> =>
    (last = last.then(work).then(
      () => void (failing = false),
      (err: unknown) => {
        if (!failing) log.error('held-keys-not-told', { err });
        failing = true;
      },
    ));
  const tell = (): Promise<void> =>
    inTurn(() => directory.tellHeldKeys({ replica, host, keys: keys.evaluations.map(({ key }) => key) }));
  await tell();
  const timer = setInterval(() => void tell(), TELL_EVERY_MS);
  timer.unref();
  return {
    tell,
    stop() {
      clearInterval(timer);
      return inTurn(() => directory.forgetHeldKeys(replica));
    },
  };
}

/** What the processes hold that serve now: who cannot write to the database answers nothing either. */
export async function servingProcesses(directory: Directory): Promise<readonly HeldKeys[]> {
  return (await directory.heldKeys()).filter(({ agoMs }) => agoMs < LIVES_MS);
}

/**
 * The processes that are not waited for although they have not said that they hold this evaluation key: they took no leave,
 * and have said nothing for a while, but did within the hour.
 */
export async function silentProcesses(directory: Directory, key: string): Promise<readonly HeldKeys[]> {
  return (await directory.heldKeys()).filter(({ agoMs, keys }) => agoMs >= LIVES_MS && !keys.includes(key));
}

/** Throws `not-ready` as long as a process of the gateway serves that has not said that it holds this evaluation key. */
export async function requireHeldByAll(directory: Directory, key: string): Promise<void> {
  const without = (await servingProcesses(directory)).filter(({ keys }) => !keys.includes(key));
  if (without.length === 0) return;
  const named = without.map(({ host, replica }) => `${host} (${replica})`).join(', ');
  throw new HitError(
    'not-ready',
    `${named}: has not said that it holds the new evaluation key, so it was not put in force; copy the key store there, and look for evaluation-key-taken in its log`,
  );
}

import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';

/** Told to the program that runs in a place of its own; nothing else sets it. */
const MARK = 'HITMACHINE_TEST_OWN_PLACE';
const isApart = process.env[MARK] !== undefined;

/** Why the network and the names of hosts cannot be meddled with; undefined when they can. */
export const OWN_PLACE_MISSING: string | undefined = isApart
  ? undefined
  : 'needs a network of its own, which root alone can make, with unshare, ip and nft';

/**
 * Runs this program again in a network and with mounts of its own, so that nothing is done to those of the machine. Gives
 * its exit code; undefined where that is not allowed, or done already.
 */
export async function inOwnPlace(): Promise<number | undefined> {
  if (isApart) return undefined;
  const apart = ['--net', '--mount', 'sh', '-c', 'ip link set lo up && "$@"', 'sh'];
  if (spawnSync('unshare', [...apart, 'nft', 'list', 'ruleset']).status !== 0) return undefined;
  const child = spawn(
    'unshare',
    [...apart, process.execPath, ...process.execArgv, ...process.argv.slice(1)],
    {
      stdio: 'inherit',
      env: { ...process.env, [MARK]: 'yes' },
    },
  );
  const [code] = (await once(child, 'exit')) as [number | null];
  return code ?? 1;
}

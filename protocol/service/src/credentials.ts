import { isAbsolute, join, sep } from 'node:path';
import { HitError } from '@hitmachine/protocol';

/** How a configuration names the folder of credentials: as systemd calls it for the programs that it starts. */
const NAME = '${CREDENTIALS_DIRECTORY}';

let folder: string | undefined;

/**
 * Tells where whoever starts this program has laid out its secrets (`LoadCredential=` of systemd, a Secret of
 * Kubernetes); undefined or empty: nowhere. There is one such folder a process, so it is not passed from hand to hand.
 */
export function useCredentials(path: string | undefined): void {
  folder = path === undefined || path === '' ? undefined : path;
}

/**
 * The path of a file that a configuration names: relative to `directory`, or in the folder of credentials when the name
 * begins with `${CREDENTIALS_DIRECTORY}/`. Throws `config-invalid` when there is no such folder.
 */
export function fileOf(directory: string, file: string): string {
  if (!file.startsWith(`${NAME}/`)) return isAbsolute(file) ? file : join(directory, file);
  if (folder !== undefined) return join(folder, file.slice(NAME.length + 1));
  throw new HitError(
    'config-invalid',
    `${file}: this command was not given the folder of credentials; run it as the service does, or set CREDENTIALS_DIRECTORY`,
  );
}

/**
 * Whether others than this program may read a secret, by the mode of its file. Who lays out credentials owns them, and
 * lets their reader in by way of the group: systemd with an access list (which shows as the group's rights), Kubernetes
 * with `fsGroup`.
 */
export function isOpenToOthers(file: string, mode: number): boolean {
  const laidOut = folder !== undefined && file.startsWith(folder + sep);
  return (mode & (laidOut ? 0o037 : 0o077)) !== 0;
}

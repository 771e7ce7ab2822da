import type { ChildProcess } from 'node:child_process';
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import {
  chmodSync,
  chownSync,
  cpSync,
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readlinkSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { text } from 'node:stream/consumers';
import { setTimeout as delay } from 'node:timers/promises';
import { carryOut, readContainerfile } from './containerfile.ts';

/** The user of the image. */
const USER = 65_532;

/** As the Containerfile sets it, and the base image its PATH. */
const ENVIRONMENT = {
  PATH: '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin',
  MALLOC_ARENA_MAX: '1',
  NODE_ENV: 'production',
  CREDENTIALS_DIRECTORY: '/run/credentials',
  HIT_GATEWAY_DIR: '/var/lib/hitmachine/gateway',
  HIT_AGENT_DIR: '/var/lib/hitmachine/agent',
};

const quiet = (command: string, ...argv: string[]): boolean => spawnSync(command, argv).status === 0;

/** Why nothing can be run as in a container here; undefined when it can. */
export const SANDBOX_MISSING: string | undefined =
  process.getuid?.() !== 0
    ? 'only root takes rights away as a container engine does'
    : !quiet('unshare', '--mount', '--pid', '--fork', '--mount-proc', 'true')
      ? 'unshare makes no views of the disk here'
      : quiet('setpriv', '--version')
        ? undefined
        : 'setpriv is missing: apt-get install util-linux';

/** Makes the folder `$0` the whole disk, all of it read-only but the state and /tmp, and runs the rest as the image's user. */
const INSIDE = `set -e
mount --bind "$0" "$0"
cd "$0"
mount --rbind /usr/lib usr/lib
for folder in lib lib64 usr/lib64; do
  [ -L /$folder ] || [ ! -d /$folder ] || mount --rbind /$folder $folder
done
mount --bind /usr/bin/setpriv setpriv
mount --bind /dev dev
mount -t proc proc proc
mount -t tmpfs -o mode=1777 tmpfs tmp
mount --bind var/lib/hitmachine var/lib/hitmachine
mount -o remount,bind,ro .
exec chroot . /setpriv --reuid 65532 --regid 65532 --clear-groups --no-new-privs --bounding-set=-all --inh-caps=-all "$@"`;

/**
 * What the Containerfile makes, as a folder: the installation as its build stage does it, and its /usr/local/bin. Programs
 * run as in a container: process 1 of user 65532, without rights, on a read-only disk.
 */
export class Image {
  readonly folder = mkdtempSync(join(tmpdir(), 'hit-image-test-'));
  /** What the installation said. */
  readonly installed: string;

  constructor(root: string) {
    const folders = ['app', 'nodejs/bin', 'usr/lib', 'dev', 'proc', 'tmp', 'run/credentials'];
    for (const name of [...folders, 'var/lib/hitmachine']) mkdirSync(this.#at(name), { recursive: true });
    // Where the loader is looked for: a folder, or a link to one, as on this machine.
    for (const name of ['lib', 'lib64', 'usr/lib64'].filter((place) => existsSync(`/${place}`)))
      if (lstatSync(`/${name}`).isSymbolicLink()) symlinkSync(readlinkSync(`/${name}`), this.#at(name));
      else mkdirSync(this.#at(name));
    writeFileSync(this.#at('setpriv'), '');
    chmodSync(this.folder, 0o755);
    chownSync(this.#at('var/lib/hitmachine'), USER, USER);
    const instructions = readContainerfile(
      readFileSync(join(root, 'deploy/container/Containerfile'), 'utf8'),
    );
    carryOut(root, instructions, this.folder, this.#at('app'));
    const install = instructions.find(({ name, text }) => name === 'RUN' && text.includes('"ci"'))?.text;
    const [npm = '', ...argv] = JSON.parse(install ?? '[]') as string[];
    // From npm's cache, which the installation of the checkout has filled: tests use no network.
    const { status, stdout, stderr } = spawnSync(npm, [...argv, '--offline'], {
      cwd: this.#at('app'),
      encoding: 'utf8',
    });
    this.installed = status === 0 ? 'ok' : `exit code ${status}: ${stdout}${stderr}`;
    cpSync(process.execPath, this.#at('nodejs/bin/node'));
  }

  #at(path: string): string {
    return join(this.folder, path);
  }

  /** Lays a secret out as Kubernetes does: root's, readable for the group of the service. */
  secret(name: string, content: Uint8Array | string): void {
    const file = this.#at(`run/credentials/${name}`);
    writeFileSync(file, content);
    chownSync(file, 0, USER);
    chmodSync(file, 0o440);
  }

  /** Mounts a file of settings: it may be read by all. */
  setting(path: string, text: string): void {
    mkdirSync(this.#at(dirname(path)), { recursive: true });
    writeFileSync(this.#at(path), text, { mode: 0o644 });
  }

  /** Starts a program of the image. */
  start(...command: readonly string[]): ChildProcess {
    return spawn(
      'unshare',
      [
        ...['--mount', '--pid', '--fork', '--kill-child', '--propagation', 'private'],
        ...['sh', '-c', INSIDE, this.folder, ...command],
      ],
      { cwd: '/', stdio: ['pipe', 'pipe', 'pipe'], env: ENVIRONMENT },
    );
  }

  /** Runs a program of the image to its end. */
  async run(
    command: readonly string[],
    input = '',
  ): Promise<{ code: number | null; out: string; err: string }> {
    const child = this.start(...command);
    child.stdin?.end(input);
    const closed = once(child, 'close') as Promise<[number | null]>;
    const [out, err] = await Promise.all([text(child.stdout!), text(child.stderr!)]);
    return { code: (await closed)[0], out, err };
  }

  remove(): void {
    rmSync(this.folder, { recursive: true, force: true });
  }
}

/** Sends a signal to the program itself, which is process 1 in its own numbering. Resolves with its exit code. */
export async function signal(child: ChildProcess, name: NodeJS.Signals): Promise<number | null> {
  const exit = once(child, 'exit') as Promise<[number | null]>;
  process.kill(Number(innerOf(child)), name);
  return (await exit)[0];
}

/** The program itself, in the numbering of this machine. */
const innerOf = (child: ChildProcess): string =>
  readFileSync(`/proc/${child.pid}/task/${child.pid}/children`, 'utf8').trim();

/** The words that the program itself runs with. */
export const commandOf = (child: ChildProcess): string[] =>
  readFileSync(`/proc/${innerOf(child)}/cmdline`, 'utf8')
    .split('\0')
    .slice(0, -1);

/** `NAME=value`, each that the program itself has. */
export const environmentOf = (child: ChildProcess): string[] =>
  readFileSync(`/proc/${innerOf(child)}/environ`, 'utf8')
    .split('\0')
    .slice(0, -1);

/** Asks until it answers with 200, and gives the last answer; for half a minute at most. */
export async function answerOf(url: string): Promise<string> {
  let answer = 'nothing';
  for (let left = 150; left > 0; left--) {
    try {
      const response = await fetch(url);
      answer = `${response.status} ${await response.text()}`;
      if (response.status === 200) return answer;
    } catch (error) {
      answer = String((error as Error).cause);
    }
    await delay(200);
  }
  return answer;
}

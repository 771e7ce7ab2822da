import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const run = (command: string, ...argv: string[]): boolean => spawnSync(command, argv).status === 0;

/** Waits for networks and starts servers; a machine without a network would wait for them for minutes. */
const MASKED = [
  ...['networking', 'systemd-networkd-wait-online', 'ifupdown-wait-online', 'NetworkManager-wait-online'],
  ...['postgresql', 'nginx', 'apache2', 'ssh', 'cron', 'docker'],
];

const SERVICE = `[Service]
Type=oneshot
ExecStart=/bin/bash /boot-script
ExecStopPost=-/bin/systemctl --no-block --force poweroff
`;
const TARGET = '[Unit]\nRequires=basic.target probe.service\nAfter=basic.target probe.service\n';

/** This machine's files, seen through a layer that takes all changes and is thrown away. */
class Layer {
  readonly folder = mkdtempSync(join(tmpdir(), 'hit-boot-test-'));
  readonly root = join(this.folder, 'root');

  constructor() {
    const [upper, work] = [join(this.folder, 'upper'), join(this.folder, 'work')];
    if (!run('mount', '-t', 'tmpfs', 'tmpfs', this.folder)) throw new Error('nothing can be mounted here');
    for (const folder of [this.root, upper, work]) mkdirSync(folder);
    const layers = `lowerdir=/,upperdir=${upper},workdir=${work}`;
    if (run('mount', '-t', 'overlay', 'overlay', '-o', layers, this.root)) return;
    this.remove();
    throw new Error('no layer can be laid over the files of this machine');
  }

  remove(): void {
    run('umount', '-l', this.root);
    run('umount', '-l', this.folder);
    rmSync(this.folder, { recursive: true, force: true });
  }
}

/** Why no machine can be booted here; undefined when it can. */
export const BOOT_MISSING: string | undefined = missing();

function missing(): string | undefined {
  if (process.getuid?.() !== 0) return 'only root boots a machine';
  if (!run('systemd-nspawn', '--version'))
    return 'systemd-nspawn is missing: apt-get install systemd-container';
  if (!existsSync('/usr/lib/systemd/systemd')) return 'systemd is missing: apt-get install systemd';
  try {
    new Layer().remove();
    return undefined;
  } catch (error) {
    return (error as Error).message;
  }
}

/** What the script noted: the content of each file under `/facts`. */
export type Facts = ReadonlyMap<string, string>;

/**
 * Boots this machine's own system once more, beside it and without a network, with the checkout at /opt/hitmachine; runs
 * `script` in it, and turns it off. Gives what the script noted under /facts.
 */
export async function boot(checkout: string, script: string, milliseconds: number): Promise<Facts> {
  const layer = new Layer();
  try {
    const units = join(layer.root, 'etc/systemd/system');
    mkdirSync(units, { recursive: true });
    writeFileSync(join(units, 'probe.service'), SERVICE);
    writeFileSync(join(units, 'probe.target'), TARGET);
    for (const name of MASKED) {
      rmSync(join(units, `${name}.service`), { force: true });
      symlinkSync('/dev/null', join(units, `${name}.service`));
    }
    // Two machines may not have the same one.
    rmSync(join(layer.root, 'etc/machine-id'), { force: true });
    for (const name of readdirSync(join(checkout, 'deploy/systemd')))
      copyFileSync(
        join(checkout, 'deploy/systemd', name),
        name.endsWith('.service') ? join(units, name) : join(layer.root, 'usr/local/bin', name),
      );
    copyFileSync(script, join(layer.root, 'boot-script'));
    const machine = spawn(
      'systemd-nspawn',
      [
        ...['-D', layer.root, '-M', `hit-boot-${process.pid}`, '--register=no', '--keep-unit', '--quiet'],
        ...['--private-network', `--bind-ro=${checkout}:/opt/hitmachine`, '--console=pipe'],
        ...['--boot', 'systemd.unit=probe.target'],
      ],
      { stdio: 'ignore', timeout: milliseconds, killSignal: 'SIGKILL' },
    );
    await once(machine, 'exit');
    const facts = join(layer.root, 'facts');
    if (!existsSync(facts)) return new Map();
    return new Map(readdirSync(facts).map((name) => [name, readFileSync(join(facts, name), 'utf8')]));
  } finally {
    layer.remove();
  }
}

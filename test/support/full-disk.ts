import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const run = (command: string, ...argv: string[]): boolean => spawnSync(command, argv).status === 0;

/** A small disk of its own, in memory, that can be made larger. Needs the right to mount. */
export class SmallDisk {
  readonly folder = mkdtempSync(join(tmpdir(), 'hit-disk-test-'));

  constructor(kilobytes: number) {
    if (!run('mount', '-t', 'tmpfs', '-o', `size=${kilobytes}k,mode=0777`, 'tmpfs', this.folder))
      throw new Error('no disk could be mounted');
  }

  /** Gives it more room, as an administrator would. */
  grow(kilobytes: number): void {
    if (!run('mount', '-o', `remount,size=${kilobytes}k`, this.folder)) throw new Error('it did not grow');
  }

  remove(): void {
    // By its path and lazily: a program that still holds a file on it must not keep the folder.
    run('umount', '-l', this.folder);
    rmSync(this.folder, { recursive: true });
  }
}

/** Why no disk can be mounted here; undefined when it can. */
export const DISK_MISSING: string | undefined = missing();

function missing(): string | undefined {
  // The right to mount is bit 21 of the capabilities, CAP_SYS_ADMIN.
  const effective = /^CapEff:\s*([0-9a-f]+)$/m.exec(readFileSync('/proc/self/status', 'utf8'))?.[1] ?? '0';
  if ((BigInt(`0x${effective}`) >> 21n) % 2n === 0n) return 'only root may mount a small disk';
  const folder = mkdtempSync(join(tmpdir(), 'hit-disk-test-'));
  try {
    if (!run('mount', '-t', 'tmpfs', '-o', 'size=64k', 'tmpfs', folder))
      return 'mounting is not allowed here';
    run('umount', folder);
    return undefined;
  } finally {
    rmSync(folder, { recursive: true });
  }
}

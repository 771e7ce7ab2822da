import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { ServingProgram } from '../support/programs.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));
const VERSIONS = "['hitmachine-replica-1']";

/**
 * The gateway as its next version will be: it speaks a new version of what replicas say to each other, and the one of
 * today. A copy of the sources in which that one line is changed.
 */
export class NextVersion {
  readonly #folder = mkdtempSync(join(tmpdir(), 'hitmachine-next-'));

  constructor() {
    const gateway = join(this.#folder, 'gateway');
    mkdirSync(gateway);
    for (const part of ['bin', 'src', 'console', 'package.json'])
      cpSync(join(root, 'gateway', part), join(gateway, part), { recursive: true });
    for (const part of ['node_modules', 'package.json', 'protocol'])
      symlinkSync(join(root, part), join(this.#folder, part));
    const file = join(gateway, 'src/adapters/replica-link/tls.ts');
    const source = readFileSync(file, 'utf8');
    if (!source.includes(VERSIONS)) throw new Error('the versions of links stand elsewhere now');
    writeFileSync(file, source.replace(VERSIONS, "['hitmachine-replica-2', 'hitmachine-replica-1']"));
  }

  program(folder: string): ServingProgram {
    return new ServingProgram([join(this.#folder, 'gateway/bin/hit-gateway.mjs'), 'serve', '--dir', folder]);
  }

  remove(): void {
    rmSync(this.#folder, { recursive: true, force: true });
  }
}

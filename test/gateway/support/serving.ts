import type { ChildProcess } from 'node:child_process';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { freePort } from '../../support/free-port.ts';
import { NODE_OPTIONS, PROGRAM, runProgram } from './program.ts';

/** `hit-gateway serve` in a process of its own, as an administrator runs it, in a folder of its own. */
export class ServedGateway {
  readonly folder = mkdtempSync(join(tmpdir(), 'hit-gateway-served-'));
  readonly port: number;
  process!: ChildProcess;
  /** Everything that it wrote. */
  said = '';

  private constructor(port: number) {
    this.port = port;
  }

  /** Made, and not started yet. */
  static async make(): Promise<ServedGateway> {
    const gateway = new ServedGateway(await freePort());
    const listen = `127.0.0.1:${gateway.port}`;
    const argv = ['init', '--dir', gateway.folder, '--federation', 'waalstad', '--listen', listen];
    const made = await runProgram(argv);
    if (made.code !== 0) throw new Error(made.stderr);
    return gateway;
  }

  async start(): Promise<void> {
    this.process = spawn(process.execPath, [...NODE_OPTIONS, PROGRAM, 'serve', '--dir', this.folder], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    this.process.stdout?.on('data', (chunk: Buffer) => (this.said += chunk.toString()));
    await this.until(/"event":"listening"/);
  }

  /** Resolves once it has written that, behind the first `from` characters; rejects when it ends without. */
  async until(what: RegExp, from = 0): Promise<RegExpExecArray> {
    for (;;) {
      const found = what.exec(this.said.slice(from));
      if (found !== null) return found;
      if (this.process.exitCode !== null) throw new Error(`it ended: ${this.said}`);
      await delay(20);
    }
  }

  async remove(): Promise<void> {
    if (this.process.exitCode === null) {
      this.process.kill('SIGKILL');
      await once(this.process, 'exit');
    }
    rmSync(this.folder, { recursive: true });
  }
}

import type { ChildProcess } from 'node:child_process';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';

const PROGRAM = fileURLToPath(new URL('../../node-agent/bin/hit-agent.mjs', import.meta.url));
const CLOCK = new URL('./moved-clock.mjs', import.meta.url).href;

/** How a command ended, and what it said. */
export interface Ended {
  readonly code: number | null;
  readonly text: string;
}

/** `hit-agent` as a process of its own, which can be killed. */
export class AgentProcess {
  readonly child: ChildProcess;
  text = '';

  /** `clockFile` holds by how many milliseconds the clock of this process is wrong. */
  constructor(folder: string, clockFile: string, ...args: string[]) {
    this.child = spawn(
      process.execPath,
      ['--disable-warning=ExperimentalWarning', '--import', CLOCK, PROGRAM, ...args, '--dir', folder],
      { stdio: ['ignore', 'pipe', 'pipe'], env: { ...process.env, MOVED_CLOCK_FILE: clockFile } },
    );
    for (const stream of [this.child.stdout, this.child.stderr])
      stream?.on('data', (chunk: Buffer) => (this.text += chunk.toString()));
  }

  get isRunning(): boolean {
    return this.child.exitCode === null && this.child.signalCode === null;
  }

  async ended(): Promise<Ended> {
    if (this.isRunning) await once(this.child, 'close');
    return { code: this.child.exitCode, text: this.text };
  }

  async kill(signal: NodeJS.Signals = 'SIGKILL'): Promise<Ended> {
    this.child.kill(signal);
    return this.ended();
  }

  /** Resolves when it has said something, or has ended. */
  async said(what: RegExp): Promise<void> {
    while (this.isRunning && !what.test(this.text)) await delay(20);
  }

  /** The address where it serves; undefined when it ends before it does. */
  async url(): Promise<string | undefined> {
    for (;;) {
      const found = /"event":"listening","url":"([^"]+)"/.exec(this.text)?.[1];
      if (found !== undefined) return found;
      if (!this.isRunning) return undefined;
      await delay(20);
    }
  }
}

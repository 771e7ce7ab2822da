import { styleText } from 'node:util';

const WIDTH = 36;

/** One bar on a terminal; without a terminal, a line a step. */
export class ProgressBar {
  readonly #out: NodeJS.WriteStream;
  readonly #title: string;
  readonly #total: number;
  readonly #started = performance.now();

  /** `total` in whatever is counted. */
  constructor(out: NodeJS.WriteStream, title: string, total: number) {
    this.#out = out;
    this.#title = title;
    this.#total = total;
    this.show(0);
  }

  show(done: number, note = ''): void {
    if (!this.#out.isTTY) return;
    const filled = Math.round((Math.min(done, this.#total) / this.#total) * WIDTH);
    const bar = styleText('green', '█'.repeat(filled)) + styleText('dim', '░'.repeat(WIDTH - filled));
    const text = `  ${this.#title.padEnd(22)}${bar}  ${done} of ${this.#total}  ${note}`;
    this.#out.write(`\r\u001b[2K${text}`);
  }

  /** A line for those who have no terminal to see the bar grow. */
  step(text: string): void {
    if (!this.#out.isTTY) this.#out.write(`  ${this.#title}: ${text}\n`);
  }

  finish(): void {
    const seconds = ((performance.now() - this.#started) / 1000).toFixed(1);
    if (this.#out.isTTY) this.#out.write('\r\u001b[2K');
    const mark = styleText('green', '✔', { stream: this.#out });
    this.#out.write(
      `  ${mark} ${this.#title.padEnd(22)}${this.#total}  ${styleText('dim', `${seconds} s`, { stream: this.#out })}\n`,
    );
  }
}

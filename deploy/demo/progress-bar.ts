import { styleText } from 'node:util';
import { clip } from './screen.ts';

const TITLE = 22;
const WIDEST_BAR = 36;
/** On anything narrower the numbers alone are shown. */
const NARROWEST = 60;

/** One bar on a terminal, never wider than it; without a terminal, a line a step. */
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
    // A line that reaches the last column wraps on some terminals, and then can no longer be rewritten.
    const columns = this.#out.columns - 1;
    const width = columns < NARROWEST ? 0 : Math.min(WIDEST_BAR, Math.floor(columns * 0.3));
    const filled = Math.round((Math.min(done, this.#total) / this.#total) * width);
    const bar = this.#paint('green', '█'.repeat(filled)) + this.#paint('dim', '░'.repeat(width - filled));
    const title = clip(`  ${this.#title.padEnd(TITLE)}`, columns - width);
    const count = clip(`  ${done} of ${this.#total}  ${note}`.trimEnd(), columns - width - title.length);
    this.#out.write(`\r\u001b[2K${title}${bar}${count}`);
  }

  /** A line for those who have no terminal to see the bar grow. */
  step(text: string): void {
    if (!this.#out.isTTY) this.#out.write(`  ${this.#title}: ${text}\n`);
  }

  finish(): void {
    const seconds = ((performance.now() - this.#started) / 1000).toFixed(1);
    if (this.#out.isTTY) this.#out.write('\r\u001b[2K');
    const mark = this.#paint('green', '✔');
    this.#out.write(
      `  ${mark} ${this.#title.padEnd(TITLE)}${this.#total}  ${this.#paint('dim', `${seconds} s`)}\n`,
    );
  }

  #paint(style: 'green' | 'dim', text: string): string {
    return styleText(style, text, { stream: this.#out });
  }
}

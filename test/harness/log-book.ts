import { Writable } from 'node:stream';

/** Everything that gateway and agents wrote to their logs and terminals, by program. */
export class LogBook {
  readonly #entries: { readonly program: string; readonly text: string }[] = [];

  write(program: string, text: string): void {
    this.#entries.push({ program, text });
  }

  /** A stream for a logger. */
  stream(program: string): Writable {
    return new Writable({
      write: (chunk: Buffer, _encoding, done) => {
        this.write(program, chunk.toString());
        done();
      },
    });
  }

  /** All text, of one program when given. */
  text(program?: string): string {
    return this.#entries
      .filter((entry) => program === undefined || entry.program === program)
      .map(({ text }) => text)
      .join('\n');
  }
}

import { HitError } from '@hitmachine/protocol';

/** Characters after which a line is no line of a client file any more. */
const LONGEST_LINE = 1 << 24;

/**
 * The lines of a text, without their ends (line feeds, carriage returns, or both), many at a time. The last one is
 * empty for a text that ends with a line end. Throws `import-invalid` for a line of 16 million characters.
 */
export async function* textLines(name: string, text: AsyncIterable<string>): AsyncGenerator<string[]> {
  let rest = '';
  let count = 0;
  for await (const piece of text) {
    // A carriage return at the end of a piece may be half of a line end.
    const whole: string = rest + piece;
    const lines: string[] = (whole.endsWith('\r') ? whole.slice(0, -1) : whole).split(/\r\n|\n|\r/);
    rest = `${lines.pop() ?? ''}${whole.endsWith('\r') ? '\r' : ''}`;
    if (rest.length > LONGEST_LINE)
      throw new HitError(
        'import-invalid',
        `${name}:${count + lines.length + 1}: the line has more than ${LONGEST_LINE} characters; is this the right file?`,
      );
    count += lines.length;
    if (lines.length > 0) yield lines;
  }
  yield rest.endsWith('\r') ? [rest.slice(0, -1), ''] : [rest];
}

import { HitError } from '@hitmachine/protocol';
import { fileProblem } from '@hitmachine/service';

/** Where a command writes: results to `out`, everything else to `err`. */
export interface Terminal {
  out(text: string): void;
  err(text: string): void;
  /** Whether `err` is a screen, so that a line may be rewritten. */
  readonly interactive: boolean;
}

/** Control characters but the line break, and what turns the direction of writing. */
const CONTROLS = /[^\P{Cc}\n]|[\u202a-\u202e\u2066-\u2069]/gu;

/** What a command says when it fails, one line a cause; details of bugs are for the bug report. */
export function errorText(error: unknown): string {
  // Some of these texts come from the gateway: they must not move the cursor.
  if (error instanceof HitError) return `${error.detail.replace(CONTROLS, '\ufffd')} (${error.code})`;
  const problem = fileProblem(error);
  if (problem !== undefined) {
    const { path } = error as NodeJS.ErrnoException;
    return path === undefined ? problem : `${path}: ${problem}`;
  }
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}

/** `1 client`, `2 clients`: a number with its noun, which has a plural in -s unless told. */
export function counted(number: number, one: string, many = `${one}s`): string {
  return `${number} ${number === 1 ? one : many}`;
}

/** Characters that would end a line, steer a screen, or turn the direction of writing. */
const UNSAFE = /[\p{Cc}\p{Zl}\p{Zp}\p{Bidi_Control}]/gu;

/** A value as one word of a line: as it is when that cannot be misread, and otherwise in quotes with escapes. */
export function word(value: string): string {
  if (/^[\p{L}\p{N}._@/:,+-]+$/u.test(value)) return value;
  return JSON.stringify(value).replace(
    UNSAFE,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}

/** Columns side by side, as wide as their widest cell. */
export function table(rows: readonly (readonly string[])[]): string {
  const widths = (rows[0] ?? []).map((_, column) =>
    Math.max(...rows.map((row) => [...(row[column] ?? '')].length)),
  );
  return rows
    .map((row) =>
      row
        .map((cell, column) => cell + ' '.repeat((widths[column] ?? 0) - [...cell].length))
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
}

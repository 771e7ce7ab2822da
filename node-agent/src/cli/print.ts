import { HitError } from '@hitmachine/protocol';

/** Where a command writes: results to `out`, everything else to `err`. */
export interface Terminal {
  out(text: string): void;
  err(text: string): void;
  /** Whether `err` is a screen, so that a line may be rewritten. */
  readonly interactive: boolean;
}

/** What a command says when it fails, one line a cause; details of bugs are for the bug report. */
export function errorText(error: unknown): string {
  if (error instanceof HitError) return `${error.detail} (${error.code})`;
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
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

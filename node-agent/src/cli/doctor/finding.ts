/** What one look found. */
export interface Finding {
  /** What was looked at, in a word or two. */
  readonly check: string;
  readonly result: 'ok' | 'warning' | 'wrong';
  /** What was found; where something is wrong, with what to do. */
  readonly says: string;
}

export const ok = (check: string, says: string): Finding => ({ check, result: 'ok', says });
export const warning = (check: string, says: string): Finding => ({ check, result: 'warning', says });
export const wrong = (check: string, says: string): Finding => ({ check, result: 'wrong', says });

/** Looks at something; what is thrown is what is wrong, in its own words. */
export async function look(
  check: string,
  work: () => Promise<readonly Finding[]> | readonly Finding[],
): Promise<readonly Finding[]> {
  try {
    return await work();
  } catch (error) {
    return [wrong(check, textOf(error))];
  }
}

function textOf(error: unknown): string {
  const { detail, message } = error as { readonly detail?: string; readonly message?: string };
  return detail ?? message ?? String(error);
}

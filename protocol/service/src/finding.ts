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

const MARKS: Readonly<Record<Finding['result'], string>> = {
  ok: 'ok     ',
  warning: 'warning',
  wrong: 'WRONG  ',
};

/** Findings for a screen, with a line at the end that counts them; or as JSON. */
export function findingsText(
  version: string,
  findings: readonly Finding[],
  { json }: { readonly json: boolean },
): string {
  const count = (result: Finding['result']): number =>
    findings.filter((finding) => finding.result === result).length;
  const [wrongs, warnings] = [count('wrong'), count('warning')];
  if (json) return JSON.stringify({ version, wrong: wrongs, warnings, findings }, undefined, 2);
  const counted = (number: number, one: string): string => `${number} ${one}${number === 1 ? '' : 's'}`;
  return [
    ...findings.map(({ check, result, says }) => `${MARKS[result]} ${check}: ${says}`),
    wrongs === 0 && warnings === 0
      ? 'Nothing is wrong.'
      : `${counted(wrongs, 'thing')} wrong, ${counted(warnings, 'warning')}.`,
  ].join('\n');
}

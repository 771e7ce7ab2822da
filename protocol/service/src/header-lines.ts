import { HitError } from '@hitmachine/protocol';

/** Headers from a file with lines `Name: value`. Throws `config-invalid`; the lines themselves are secret. */
export function headerLines(text: string): Record<string, string> {
  const lines = text.split(/\r?\n/).filter((line) => line.trim() !== '');
  return Object.fromEntries(
    lines.map((line) => {
      const [, name, value] = /^([!#$%&'*+.^_`|~\w-]+):\s*(\S.*)$/.exec(line.trim()) ?? [];
      if (name === undefined || value === undefined)
        throw new HitError('config-invalid', 'the file of headers has a line that is not "Name: value"');
      return [name, value];
    }),
  );
}

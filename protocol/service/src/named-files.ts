import { accessSync, constants, statSync } from 'node:fs';
import { HitError } from '@hitmachine/protocol';
import { fileOf, isOpenToOthers } from './credentials.ts';
import { fileProblem } from './file-problem.ts';
import type { ShownSetting } from './show-settings.ts';

/** Certificates are for everybody to read; what else a setting names that ends in File is a secret. */
const IS_CERTIFICATE = /(?:^|\.)(?:ca|cert|clientCa)File$/;

/**
 * What is wrong with the files that settings name (those that end in File hold a secret, certificates apart): missing, or open to others
 * than their owner. A line each, with the setting and the cure.
 */
export function namedFileProblems(directory: string, settings: readonly ShownSetting[]): string[] {
  return settings.flatMap(({ setting, value }) => {
    if (!setting.endsWith('File') || typeof value !== 'string') return [];
    const problem = namedFileProblem(directory, value, { secret: !IS_CERTIFICATE.test(setting) });
    return problem === undefined ? [] : [`${setting}: ${problem}`];
  });
}

/** What is wrong with one file of a secret, relative to the directory of the settings that name it. */
export const secretFileProblem = (directory: string, name: string): string | undefined =>
  namedFileProblem(directory, name, { secret: true });

function namedFileProblem(
  directory: string,
  name: string,
  { secret }: { readonly secret: boolean },
): string | undefined {
  try {
    const file = fileOf(directory, name);
    const stat = statSync(file);
    accessSync(file, constants.R_OK);
    if (!stat.isFile()) return `${file} is no file`;
    if (secret && isOpenToOthers(file, stat.mode))
      return `others than its owner may read ${file}; run: chmod 600 ${file}`;
    return undefined;
  } catch (error) {
    if (error instanceof HitError) return error.detail;
    return `${(error as NodeJS.ErrnoException).path ?? name}: ${fileProblem(error) ?? 'it cannot be read'}`;
  }
}

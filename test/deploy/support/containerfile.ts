import { cpSync, existsSync, mkdirSync, statSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';

/** One instruction of a Containerfile, with continued lines joined. */
export interface Instruction {
  readonly name: string;
  readonly text: string;
}

/** The instructions of a Containerfile, in their order. */
export function readContainerfile(text: string): Instruction[] {
  const lines = text.split('\n').filter((line) => !line.trimStart().startsWith('#'));
  return lines
    .join('\n')
    .replaceAll(/\\\n\s*/g, ' ')
    .split('\n')
    .flatMap((line) => {
      const [, name, rest] = /^([A-Z]+)\s+(.*)$/.exec(line.trim()) ?? [];
      return name === undefined || rest === undefined ? [] : [{ name, text: rest }];
    });
}

/** What COPY takes from the checkout: from where, to where. What comes from another stage is left out. */
export function copiesOf(instructions: readonly Instruction[]): { sources: string[]; target: string }[] {
  return instructions
    .filter(({ name, text }) => name === 'COPY' && !text.includes('--from='))
    .map(({ text }) => {
      const words = text.split(/\s+/).filter((word) => !word.startsWith('--'));
      return { sources: words.slice(0, -1), target: words.at(-1) ?? '' };
    });
}

/** The sources that a checkout lacks. */
export const missingSources = (root: string, instructions: readonly Instruction[]): string[] =>
  copiesOf(instructions)
    .flatMap(({ sources }) => sources)
    .filter((source) => !existsSync(join(root, source)));

/** Does what the COPY instructions do: a relative target is below `workdir`, an absolute one below `image`. */
export function carryOut(
  root: string,
  instructions: readonly Instruction[],
  image: string,
  workdir: string,
): void {
  for (const { sources, target } of copiesOf(instructions))
    for (const source of sources) {
      const to = target.startsWith('/') ? join(image, target) : join(workdir, target);
      const from = join(root, source);
      // The content of a folder is copied, a file under its name where the target is a folder.
      const place = statSync(from).isFile() && /(\/|^\.)$/.test(target) ? join(to, basename(source)) : to;
      mkdirSync(dirname(place), { recursive: true });
      cpSync(from, place, { recursive: true });
    }
}

/** Whether the build is given a path, by a .dockerignore that first leaves out everything and then lets in. */
export const letIn = (ignore: string, path: string): boolean =>
  ignore
    .split('\n')
    .filter((line) => line.startsWith('!'))
    .some((line) => path === line.slice(1) || path.startsWith(`${line.slice(1)}/`));

import { existsSync, globSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { Page } from './markdown.ts';

/** A name that begins with one of these is a path from the root of the repository. */
const TOP = /^(?:bench|deploy|gateway|node-agent|protocol|test|\.ci)(?:\/|$)/;
/** A relative path of a file of a kind that the repository holds. */
const FILE = /^[\w.@*-]+(?:\/[\w.@*{},-]+)*\.(?:ts|tsx|mjs|md|csv|ya?ml|json|service)$/;
const PATH = /^[\w.@*{},/-]+$/;

/**
 * The links and paths that a page names and the repository lacks, one sentence each.
 *
 * Checked are relative links, and in code spans and shell blocks the paths that begin with a folder of ours.
 * Other names of files in a code span count when they hold a slash and the folder of the page (or the root)
 * has their first part: `src/oprf/suite.ts`; a bare `agent.yaml` is a file on a partner's machine.
 */
export function missingReferences(root: string, page: string, { links, code, fences }: Page): string[] {
  const folder = dirname(join(root, page));
  const found = (path: string, ...bases: string[]): boolean =>
    bases.some((base) =>
      /[*{]/.test(path) ? globSync(path, { cwd: base }).length > 0 : existsSync(join(base, path)),
    );
  const missing: string[] = [];
  const tell = (line: number, text: string): void => {
    missing.push(`${page}:${line} names ${text}, which does not exist`);
  };

  /** False for a word that is a path of ours and leads nowhere. */
  const isThere = (word: string, alone: boolean): boolean => {
    const path = word.replace(/^\.\//, '');
    if (!PATH.test(path)) return true;
    if (TOP.test(path)) return found(path, root);
    if (!alone || !path.includes('/') || !FILE.test(path)) return true;
    const first = path.slice(0, path.indexOf('/'));
    return !found(first, root, folder) || found(path, root, folder);
  };

  for (const { text, line } of links) {
    const path = decodeURIComponent(text.replace(/[#?].*$/, ''));
    if (/^[a-z][a-z+.-]*:/i.test(text) || path === '') continue;
    if (!found(path, path.startsWith('/') ? root : folder)) tell(line, text);
  }
  for (const { text, line } of code) {
    const words = text.split(/\s+/);
    for (const word of words) if (!isThere(word, words.length === 1)) tell(line, word);
  }
  for (const { text, line } of fences.filter(({ info }) => isShell(info))) {
    text.split('\n').forEach((command, index) => {
      for (const word of command.split(/[\s'"]+/)) if (!isThere(word, false)) tell(line + 1 + index, word);
    });
  }
  return missing;
}

/** The scripts that a page tells the reader to run with npm and package.json does not have. */
export function missingScripts(page: string, { code, fences }: Page, scripts: readonly string[]): string[] {
  const texts = [...code, ...fences.filter(({ info }) => isShell(info))];
  return texts.flatMap(({ text, line }) =>
    [...text.matchAll(/\bnpm (?:run ([\w:-]+)|(start|test)\b)/g)]
      .map(([, run, short]) => (run ?? short) as string)
      .filter((script) => !scripts.includes(script))
      .map((script) => `${page}:${line} names the script "${script}", which package.json does not have`),
  );
}

/** Whether a fence holds shell commands, by what stands behind it. */
export function isShell(info: string): boolean {
  return /^(?:sh|bash|shell|console)\b/.test(info);
}

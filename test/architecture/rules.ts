import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { isBuiltin } from 'node:module';
import { join, posix } from 'node:path';
import type { Module, Reference } from './modules.ts';
import { readModules } from './modules.ts';
import { SERVICES, mayImport, roomOf } from './rooms.ts';

/** Above this a file holds more than one thing. */
export const MAX_LINES = 400;

/** What may stand at the top of the repository beside dotfiles and what npm installs. */
const TOP_LEVEL = [
  ...['bench', 'deploy', 'gateway', 'node-agent', 'protocol', 'test'],
  ...['package.json', 'package-lock.json', 'tsconfig.json'],
  ...['README.md', 'LICENSE', 'SECURITY.md', 'CONTRIBUTING.md'],
];
const INSTALLED = ['node_modules', 'coverage'];

export const RULES = {
  'protocol-stands-alone': 'protocol/src imports nothing of ours and nothing of Node.js',
  'protocol-by-name':
    'others import @hitmachine/protocol, @hitmachine/web (what pages are made of) and @hitmachine/service (what both services need to run) by name, or a part that their package.json exports, never a file of them',
  'services-apart':
    'gateway and node-agent import each other never, deploy imports neither, and only services import @hitmachine/web and @hitmachine/service',
  'tests-on-top': 'nothing imports test or bench',
  rooms:
    'in a service: routes -> domain -> ports <- adapters; only main, index, open-*, start-* and cli wire; a part of a domain stands on the parts below it',
  environment: 'only main.ts, and what starts it in bin, reads the environment',
  'computed-import': 'outside tests an import names its target',
  unresolved: 'a relative import names a file that exists, with its extension',
  dependency: 'an imported package is listed in the package.json that it is imported under',
  cycle: 'no module imports itself by a detour',
  length: `no file is longer than ${MAX_LINES} lines`,
  'top-level': 'the top of the repository holds the known folders and papers',
} as const;
export type Rule = keyof typeof RULES;

export interface Violation {
  readonly rule: Rule;
  readonly path: string;
  readonly detail: string;
}

/** What the check looked at and found. `edges` counts the imports between files of ours. */
export interface Report {
  readonly modules: readonly Module[];
  readonly edges: number;
  readonly violations: readonly Violation[];
}

/** Reads a repository and holds every source file against every rule. */
export function checkArchitecture(root: string): Report {
  const modules = readModules(root);
  const repository = {
    root,
    paths: new Set(modules.map(({ path }) => path)),
    listed: readListed(root),
    exported: readExported(root),
  };
  const violations: Violation[] = [];
  const graph = new Map<string, string[]>();
  for (const module of modules) {
    const targets: string[] = [];
    for (const reference of module.references) {
      const target = resolve(repository, module, reference);
      const broken = judge(repository, module, reference, target);
      if (broken !== undefined) {
        const [rule, what] = broken;
        violations.push({ rule, path: module.path, detail: `line ${reference.line}: ${what}` });
      }
      if (target.type === 'module' && reference.kind === 'import') targets.push(target.path);
    }
    graph.set(module.path, targets);
    violations.push(...judgeModule(module));
  }
  violations.push(...findCycles(graph), ...judgeTopLevel(root));
  return { modules, edges: [...graph.values()].reduce((sum, { length }) => sum + length, 0), violations };
}

interface Repository {
  readonly root: string;
  readonly paths: ReadonlySet<string>;
  /** Packages that may be imported, by place. */
  readonly listed: Readonly<Record<string, ReadonlySet<string>>>;
  /** Parts of our own packages that may be imported beside the whole, by their full name. */
  readonly exported: ReadonlySet<string>;
}

type Target =
  | { readonly type: 'module'; readonly path: string }
  | { readonly type: 'builtin' | 'package'; readonly name: string; readonly deep: boolean }
  | { readonly type: 'file' | 'missing' };

function resolve({ root, paths }: Repository, from: Module, { specifier }: Reference): Target {
  if (specifier.startsWith('.')) {
    const path = posix.join(posix.dirname(from.path), specifier);
    if (paths.has(path)) return { type: 'module', path };
    return { type: existsSync(join(root, path)) && posix.extname(path) !== '' ? 'file' : 'missing' };
  }
  if (isBuiltin(specifier)) return { type: 'builtin', name: specifier, deep: false };
  const segments = specifier.split('/');
  const length = specifier.startsWith('@') ? 2 : 1;
  return { type: 'package', name: segments.slice(0, length).join('/'), deep: segments.length > length };
}

/** Not run by Node.js; what it imports of k6 comes with k6. */
const RUN_BY_K6 = 'bench/load-lookups.js';

function judge(
  { listed, exported }: Repository,
  from: Module,
  { kind, specifier }: Reference,
  target: Target,
): [Rule, string] | undefined {
  const place = placeOf(from.path);
  const what = `"${specifier}"`;
  if (kind === 'url') {
    // The demo and the tests start programs by their path; a service starts only its own workers.
    if (target.type !== 'module' || place === 'deploy' || onTop(place)) return undefined;
    return judgeOurs(from.path, target.path, what);
  }
  switch (target.type) {
    case 'missing':
      return ['unresolved', `${what} is no file`];
    case 'file':
      return undefined;
    case 'module':
      return judgeOurs(from.path, target.path, what);
    case 'builtin':
      return isProtocolSource(from.path) ? ['protocol-stands-alone', what] : undefined;
    case 'package':
      if (target.name.startsWith('@hitmachine/')) {
        const broken = judgeOurs(from.path, `${target.name.slice('@hitmachine/'.length)}/package.json`, what);
        const byName = !target.deep || exported.has(specifier);
        if (broken !== undefined && !(broken[0] === 'protocol-by-name' && byName)) return broken;
      }
      if (listed[place]?.has(target.name) === true) return undefined;
      if (from.path === RUN_BY_K6 && target.name === 'k6') return undefined;
      return ['dependency', `${what} is not in the package.json that counts for ${place}`];
  }
}

/** Judges an import of one file of ours by another. */
function judgeOurs(from: string, to: string, what: string): [Rule, string] | undefined {
  const [place, target] = [placeOf(from), placeOf(to)];
  if (onTop(place)) return undefined;
  if (onTop(target)) return ['tests-on-top', what];
  if (isProtocolSource(from)) {
    return isProtocolSource(to) ? undefined : ['protocol-stands-alone', what];
  }
  if (place === target) {
    if (!isService(place) || mayImport(from, to)) return undefined;
    return ['rooms', `${roomOf(from) ?? 'an unknown room'} imports ${what}`];
  }
  if (target === 'protocol' || (isShared(target) && isService(place))) return ['protocol-by-name', what];
  return ['services-apart', what];
}

function judgeModule({ path, lines, computedImports, environmentReads }: Module): Violation[] {
  const place = placeOf(path);
  const found: [Rule, string][] = [];
  if (lines > MAX_LINES) found.push(['length', `${lines} lines`]);
  if (isService(place) && roomOf(path) === undefined) found.push(['rooms', 'stands in no room that we know']);
  if (!onTop(place)) computedImports.forEach((line) => found.push(['computed-import', `line ${line}`]));
  const starts = path === `${place}/src/main.ts` || path.startsWith(`${place}/bin/`);
  if ((isService(place) && !starts) || isShared(place) || isProtocolSource(path)) {
    environmentReads.forEach((line) => found.push(['environment', `line ${line}`]));
  }
  return found.map(([rule, detail]) => ({ rule, path, detail }));
}

function judgeTopLevel(root: string): Violation[] {
  return readdirSync(root)
    .filter((name) => !name.startsWith('.') && ![...TOP_LEVEL, ...INSTALLED].includes(name))
    .map((path) => ({ rule: 'top-level' as const, path, detail: 'is not one of the known entries' }));
}

/** One violation for each import that closes a circle, told as the whole way round. */
function findCycles(graph: ReadonlyMap<string, readonly string[]>): Violation[] {
  const violations: Violation[] = [];
  const done = new Set<string>();
  const way: string[] = [];
  const walk = (path: string): void => {
    const at = way.indexOf(path);
    if (at >= 0) {
      violations.push({ rule: 'cycle', path, detail: [...way.slice(at), path].join(' -> ') });
      return;
    }
    if (done.has(path)) return;
    way.push(path);
    for (const target of graph.get(path) ?? []) walk(target);
    way.pop();
    done.add(path);
  };
  for (const path of graph.keys()) walk(path);
  return violations;
}

/**
 * The packages that each place may import. Services and protocol run elsewhere, so only what their own
 * package.json installs there counts; tests take the others apart and may use what any of them lists.
 */
function readListed(root: string): Record<string, ReadonlySet<string>> {
  const read = (folder: string, ...fields: string[]): string[] => {
    const file = join(root, folder, 'package.json');
    const manifest = JSON.parse(readFileSync(file, 'utf8')) as Record<string, Record<string, string>>;
    return fields.flatMap((field) => Object.keys(manifest[field] ?? {}));
  };
  const installed = Object.fromEntries(
    ['protocol', ...Object.keys(SHARED), ...SERVICES].map((folder) => [
      placeOf(`${folder}/`),
      new Set(read(folder, 'dependencies')),
    ]),
  );
  const own = new Set(read('.', 'dependencies', 'devDependencies'));
  const all = new Set([own, ...Object.values(installed)].flatMap((names) => [...names]));
  return { ...installed, deploy: own, test: all, bench: all };
}

/** The parts of our packages that may be imported by themselves, as `exports` of their package.json has them. */
function readExported(root: string): ReadonlySet<string> {
  return new Set(
    ['protocol', ...Object.keys(SHARED)].flatMap((folder) => {
      const manifest = JSON.parse(readFileSync(join(root, folder, 'package.json'), 'utf8')) as {
        readonly exports?: Readonly<Record<string, string>>;
      };
      return Object.keys(manifest.exports ?? {}).map((part) =>
        posix.join('@hitmachine', placeOf(`${folder}/`), part),
      );
    }),
  );
}

/** Packages beside the protocol, and how their places are called: what both services stand on, and what case systems do. */
const SHARED: Readonly<Record<string, string>> = {
  'protocol/client': 'client',
  'protocol/web': 'web',
  'protocol/service': 'service',
};

function placeOf(path: string): string {
  for (const [folder, place] of Object.entries(SHARED)) if (path.startsWith(`${folder}/`)) return place;
  return path.slice(0, path.indexOf('/'));
}

function isService(place: string): boolean {
  return (SERVICES as readonly string[]).includes(place);
}

function isShared(place: string): boolean {
  return Object.values(SHARED).includes(place);
}

function isProtocolSource(path: string): boolean {
  return path.startsWith('protocol/src/');
}

function onTop(place: string): boolean {
  return place === 'test' || place === 'bench';
}

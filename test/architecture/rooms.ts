/** The two programs that partners deploy; they share one shape and know nothing of each other. */
export const SERVICES = ['gateway', 'node-agent'] as const;

/**
 * The rooms of a service. `wiring` puts the others together, `app` is the factory of the HTTP application, and
 * `shared` are the files at the top of src/ (configuration, random source) that stand on nothing of the service.
 * `verify` is a program of its own that checks the service's work, and so stands on nothing of it. `pages` are those
 * that the service shows.
 */
export type Room =
  'wiring' | 'app' | 'routes' | 'pages' | 'domain' | 'ports' | 'adapters' | 'verify' | 'shared';

/** Which rooms each room may import, beside itself: routes -> domain -> ports <- adapters. */
const BELOW: Readonly<Record<Room, readonly Room[]>> = {
  wiring: ['app', 'routes', 'pages', 'domain', 'ports', 'adapters', 'verify', 'shared'],
  app: ['routes', 'pages', 'domain', 'ports', 'shared'],
  routes: ['pages', 'domain', 'ports', 'shared'],
  pages: ['domain', 'ports', 'shared'],
  domain: ['ports', 'shared'],
  ports: ['shared'],
  adapters: ['ports', 'shared'],
  verify: ['shared'],
  shared: [],
};

const TOP_FILES: readonly (readonly [RegExp, Room])[] = [
  [/^(main|index|(?:start|open)-[a-z-]+)\.ts$/, 'wiring'],
  [/^app\.tsx?$/, 'app'],
  [/^[^/]+\.tsx?$/, 'shared'],
];
const FOLDERS: Readonly<Record<string, Room>> = {
  cli: 'wiring',
  routes: 'routes',
  domain: 'domain',
  ports: 'ports',
  adapters: 'adapters',
  verify: 'verify',
};

/**
 * The parts of an agent's domain, from the ground up: each stands on the parts before it, and on what lies directly
 * in domain/, which stands on none of them.
 */
export const PARTS = [
  ...['membership', 'rotation', 'own-log', 'asking', 'answering', 'importing', 'desk', 'running'],
];

/** The room of a file of a service (path from the root), or undefined when it stands in no room that we know. */
export function roomOf(path: string): Room | undefined {
  const [, folder, ...rest] = path.split('/');
  if (folder === 'bin') return 'wiring';
  if (folder === 'console' || folder === 'desk') return 'pages';
  if (folder !== 'src') return undefined;
  if (rest.length > 1) return FOLDERS[rest[0] as string];
  return TOP_FILES.find(([pattern]) => pattern.test(rest[0] as string))?.[1];
}

/**
 * Whether a file of a service may import another of the same service. Adapters of different kinds stay apart; parts of a domain
 * stand on those below. */
export function mayImport(from: string, to: string): boolean {
  const [room, target] = [roomOf(from), roomOf(to)];
  if (room === undefined || target === undefined) return false;
  if (room !== target) return BELOW[room].includes(target);
  if (room === 'domain') return levelOf(from) >= levelOf(to);
  return room !== 'adapters' || adapterKind(from) === adapterKind(to) || adapterKind(to) === undefined;
}

/** How high a file of a domain stands: 0 directly in domain/, NaN in a part that we do not know. */
function levelOf(path: string): number {
  const [, , , part = '', ...rest] = path.split('/');
  if (rest.length === 0) return 0;
  return PARTS.includes(part) ? PARTS.indexOf(part) + 1 : Number.NaN;
}

/** `sqlite` for gateway/src/adapters/sqlite/log.ts; undefined for what stands directly in adapters/. */
function adapterKind(path: string): string | undefined {
  const [, , , kind, ...rest] = path.split('/');
  return rest.length === 0 ? undefined : kind;
}

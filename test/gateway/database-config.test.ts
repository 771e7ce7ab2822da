import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { gatewayFiles } from '../../gateway/src/cli/gateway-files.ts';
import { openGatewayStore } from '../../gateway/src/cli/gateway-store.ts';
import { configTemplate } from '../../gateway/src/config-template.ts';
import type { GatewayConfig } from '../../gateway/src/config.ts';
import { parseConfig } from '../../gateway/src/config.ts';

const template = configTemplate({ federation: 'waalstad', listen: '127.0.0.1:0' });
const config = (database: string): GatewayConfig =>
  parseConfig(`${template}database: ${database}\n`, 'gateway.yaml');
const ELSEWHERE = 'postgres://hit@db.waalstad.nl/hit';

describe('database in gateway.yaml', () => {
  it.each([
    'postgres://hit@localhost/hit',
    'postgresql://hit@127.0.0.1:5433/hit?application_name=hit',
    'postgres://hit@[::1]/hit',
    'postgres://hit@localhost/hit?host=/var/run/postgresql',
    `${ELSEWHERE}?sslmode=verify-full&sslrootcert=/etc/ssl/own.pem`,
  ])('takes %s', (url) => {
    expect(config(`{ postgres: { url: '${url}' } }`).database?.postgres.url).toBe(url);
  });

  it.each([
    ["{ postgres: { url: 'localhost' } }", 'database.postgres.url: an address such as'],
    ["{ postgres: { url: 'https://localhost/hit' } }", 'begins with postgres://'],
    ["{ postgres: { url: 'postgres://hit@localhost' } }", 'the name of a database'],
    [
      "{ postgres: { url: 'postgres://hit:geheim@localhost/hit' } }",
      'holds a password: put the address in a file',
    ],
    ["{ postgres: { url: 'postgres://hit@localhost/hit?password=geheim' } }", 'holds a password'],
    [`{ postgres: { url: '${ELSEWHERE}' } }`, 'add ?sslmode=verify-full'],
    [`{ postgres: { url: '${ELSEWHERE}?sslmode=require' } }`, 'add ?sslmode=verify-full'],
    ["{ postgres: { url: 'postgres://hit@localhost/hit?host=db.waalstad.nl' } }", 'add ?sslmode=verify-full'],
    ['{ postgres: {} }', 'either url or urlFile, and not both'],
    [
      "{ postgres: { url: 'postgres://hit@localhost/hit', urlFile: f } }",
      'either url or urlFile, and not both',
    ],
    ['{ mysql: {} }', 'database'],
  ])('refuses %s', (database, complaint) => {
    expect(() => config(database)).toThrow(complaint);
    expect(() => config(database)).not.toThrow('geheim');
  });
});

describe('the file of urlFile', () => {
  let folder: string;
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'hit-gateway-test-'));
  });
  afterAll(() => rmSync(folder, { recursive: true }));

  const open = (text: string, mode = 0o600) => {
    writeFileSync(join(folder, 'postgres-url'), text);
    chmodSync(join(folder, 'postgres-url'), mode);
    return openGatewayStore(gatewayFiles(folder), config('{ postgres: { urlFile: postgres-url } }'));
  };

  it.each([
    ['postgres://hit:geheim@localhost/hit\n', 0o640, 'run: chmod 600'],
    ['localhost:5432\n', 0o600, 'begins with postgres://'],
    ['postgres://hit:geheim@db.waalstad.nl/hit\n', 0o600, 'add ?sslmode=verify-full'],
  ])('must be right: %j with mode %o', async (text, mode, complaint) => {
    const opened = open(text, mode);
    await expect(opened).rejects.toMatchObject({
      code: 'config-invalid',
      detail: expect.stringContaining(complaint) as string,
    });
    await expect(opened).rejects.not.toThrow('geheim');
  });

  it('must be there', async () => {
    const missing = config('{ postgres: { urlFile: no-such-file } }');
    await expect(openGatewayStore(gatewayFiles(folder), missing)).rejects.toThrow('cannot be read');
  });
});

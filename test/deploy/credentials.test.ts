import { randomBytes } from 'node:crypto';
import { chmodSync, existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { useCredentials } from '@hitmachine/service';
import { runCli } from '../../gateway/src/cli/program.ts';
import { runCommand } from '../node-agent/support/program.ts';
import { POSTGRES_MISSING, TestPostgres } from '../support/postgres.ts';

let folder: string;
let credentials: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'hit-credentials-test-'));
  credentials = join(folder, 'credentials');
  for (const place of [credentials, join(folder, 'state')]) mkdirSync(place);
});
afterEach(() => {
  useCredentials(undefined);
  rmSync(folder, { recursive: true });
});

const secret = (path: string, content: Uint8Array | string, mode: number): void => {
  writeFileSync(path, content);
  chmodSync(path, mode);
};

/** Runs `init` of a service in a folder whose settings are these. */
const SERVICES = {
  agent: {
    use: useCredentials,
    init: async (settings: string) => {
      writeFileSync(join(folder, 'state/agent.yaml'), settings);
      const { code, err } = await runCommand(join(folder, 'state'), 'init');
      return { code, err };
    },
  },
  gateway: {
    use: useCredentials,
    init: async (settings: string) => {
      writeFileSync(
        join(folder, 'state/gateway.yaml'),
        `federation: voorbeeldstad\nlisten: 127.0.0.1:0\n${settings}`,
      );
      let err = '';
      const code = await runCli(['init', '--dir', join(folder, 'state')], {
        environment: {},
        print: () => undefined,
        explain: (line) => (err += `${line}\n`),
      });
      return { code, err };
    },
  },
} as const;

const KEY = 'keyFile: ${CREDENTIALS_DIRECTORY}/key-file\n';

describe.each(['agent', 'gateway'] as const)('secrets of the %s in the folder of credentials', (name) => {
  const { use, init } = SERVICES[name];

  it.each([0o400, 0o440, 0o600])(
    'are taken with the mode %o, as service managers lay them out',
    async (mode) => {
      secret(join(credentials, 'key-file'), randomBytes(32), mode);
      use(credentials);
      expect(await init(KEY)).toEqual({ code: 0, err: '' });
      expect(existsSync(join(folder, 'state/keystore.json'))).toBe(true);
    },
  );

  it.each([0o444, 0o460])('are refused with the mode %o', async (mode) => {
    secret(join(credentials, 'key-file'), randomBytes(32), mode);
    use(credentials);
    const { code, err } = await init(KEY);
    expect(code).toBe(1);
    expect(err).toContain('chmod 600');
  });

  it('may be a passphrase', async () => {
    secret(join(credentials, 'passphrase'), 'a passphrase of some length\n', 0o440);
    use(credentials);
    expect(await init('passphraseFile: ${CREDENTIALS_DIRECTORY}/passphrase\n')).toEqual({ code: 0, err: '' });
  });

  it('elsewhere belong to their owner alone', async () => {
    secret(join(folder, 'state/key-file'), randomBytes(32), 0o440);
    use(credentials);
    expect((await init('keyFile: key-file\n')).code).toBe(1);
  });

  it.each([undefined, ''])('cannot be named when there is no such folder (%j)', async (path) => {
    use(path);
    const { code, err } = await init(KEY);
    expect(code).toBe(1);
    expect(err).toContain('was not given the folder of credentials');
  });
});

describe.skipIf(POSTGRES_MISSING !== undefined)(`PostgreSQL (${POSTGRES_MISSING ?? 'there'})`, () => {
  it('is reached by a socket, with an address from the folder of credentials, as Compose does', async () => {
    const postgres = await TestPostgres.start();
    try {
      const { port } = new URL(postgres.url);
      const url = `postgres://hitmachine:${postgres.password}@localhost:${port}/postgres?host=${postgres.folder}`;
      secret(join(credentials, 'key-file'), randomBytes(32), 0o440);
      secret(join(credentials, 'postgres-url'), `${url}\n`, 0o440);
      useCredentials(credentials);
      const database = 'database:\n  postgres:\n    urlFile: ${CREDENTIALS_DIRECTORY}/postgres-url\n';
      expect(await SERVICES.gateway.init(KEY + database)).toEqual({ code: 0, err: '' });
      const [row] = await postgres.sql(
        "SELECT count(*)::int AS n FROM pg_tables WHERE schemaname = 'public'",
      );
      expect(row?.['n']).toBeGreaterThan(3);
    } finally {
      await postgres.remove();
    }
  });
});

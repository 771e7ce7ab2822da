import type { ChildProcess } from 'node:child_process';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { copyFileSync, cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { afterEach, describe, expect, it } from 'vitest';
import { configTemplate } from '../../gateway/src/config-template.ts';
import { POSTGRES_MISSING, TestPostgres } from '../support/postgres.ts';
import { TestRedis } from '../support/redis.ts';
import { NODE_OPTIONS, PROGRAM, runProgram } from '../gateway/support/program.ts';

/** A replica in a process of its own, with what it said. */
class Replica {
  said = '';
  readonly folder: string;
  readonly program: ChildProcess;

  constructor(folder: string) {
    this.folder = folder;
    this.program = spawn(process.execPath, [...NODE_OPTIONS, PROGRAM, 'serve', '--dir', folder], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    this.program.stdout?.on('data', (chunk: Buffer) => (this.said += chunk.toString()));
  }

  async says(what: RegExp): Promise<void> {
    for (const deadline = Date.now() + 30_000; !what.test(this.said); await delay(20))
      if (this.program.exitCode !== null || Date.now() > deadline) throw new Error(this.said);
  }

  async end(signal: 'SIGTERM' | 'SIGKILL'): Promise<void> {
    if (this.program.exitCode !== null || this.program.signalCode !== null) return;
    const exit = once(this.program, 'exit');
    this.program.kill(signal);
    await exit;
  }
}

describe('a new evaluation key at two replicas of a gateway', { timeout: 120_000 }, () => {
  const undo: (() => unknown)[] = [];
  afterEach(async () => {
    for (const one of undo.splice(0).reverse()) await one();
  });

  it.skipIf(POSTGRES_MISSING !== undefined)(
    `comes into force when both have said that they hold it${POSTGRES_MISSING === undefined ? '' : ` (left out: ${POSTGRES_MISSING})`}`,
    async () => {
      const folder = mkdtempSync(join(tmpdir(), 'hit-replica-keys-'));
      undo.push(() => rmSync(folder, { recursive: true }));
      const postgres = await TestPostgres.start();
      undo.push(() => postgres.remove());
      const redis = await TestRedis.start();
      undo.push(() => redis.remove());
      const [one, two] = [join(folder, 'one'), join(folder, 'two')];
      mkdirSync(one, { mode: 0o700 });
      const shared = [
        'database: { postgres: { urlFile: postgres-url } }',
        'redis: { urlFile: redis-url }',
        "replicas: { listen: '127.0.0.1:0' }",
      ];
      const template = configTemplate({ federation: 'waalstad', listen: '127.0.0.1:0' });
      writeFileSync(join(one, 'gateway.yaml'), `${template}${shared.join('\n')}\n`);
      writeFileSync(join(one, 'postgres-url'), `${postgres.url}\n`, { mode: 0o600 });
      writeFileSync(join(one, 'redis-url'), `${redis.url}\n`, { mode: 0o600 });
      const made = await runProgram(['init', '--dir', one]);
      expect(made.code, made.stderr).toBe(0);
      cpSync(one, two, { recursive: true });
      const keys = async (...argv: string[]): Promise<string> => {
        const { stdout, stderr } = await runProgram(['keys', ...argv, '--dir', one]);
        return stdout + stderr;
      };

      const replicas = [new Replica(one), new Replica(two)] as const;
      for (const replica of replicas) undo.push(() => replica.end('SIGKILL'));
      for (const replica of replicas) await replica.says(/"event":"listening"/);
      expect(await keys('rotate')).toContain('not in force yet');
      await replicas[0].says(/"event":"evaluation-key-taken"/);
      expect(await keys('rotate', '--activate')).toContain('has not said that it holds');
      const shown = await keys('show');
      expect(shown).toMatch(/\) +holds it/);
      expect(shown).toContain('does not hold it yet');
      expect(shown).toContain('(number 1)');

      copyFileSync(join(one, 'keystore.json'), join(two, 'keystore.json'));
      await replicas[1].says(/"event":"evaluation-key-taken"/);
      expect(await keys('rotate', '--activate')).toContain('comes into force');
      for (const deadline = Date.now() + 20_000; !(await keys('show')).includes('(number 2)');)
        expect(Date.now()).toBeLessThan(deadline);
      for (const replica of replicas) await replica.says(/"event":"roster-changed"/);

      // One after the other forgets the key before, and they know each other all the while, after a restart too.
      expect(await keys('forget')).toContain('is gone from');
      await replicas[0].says(/"event":"evaluation-key-forgotten"/);
      await replicas[0].end('SIGTERM');
      const again = new Replica(one);
      undo.push(() => again.end('SIGKILL'));
      await again.says(/"event":"link-opened"/);
      copyFileSync(join(one, 'keystore.json'), join(two, 'keystore.json'));
      await replicas[1].says(/"event":"evaluation-key-forgotten"/);
      for (const replica of [...replicas, again]) {
        await replica.end('SIGTERM');
        const wrong = /"event":"(keystore-refused|keystore-needs-restart|held-keys-not-told|link-refused)"/;
        expect(replica.said).not.toMatch(wrong);
      }
    },
  );
});

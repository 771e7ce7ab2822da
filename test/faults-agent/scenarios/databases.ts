import { chmodSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { POSTGRES_MISSING, TestPostgres } from '../../support/postgres.ts';
import { require } from '../require.ts';
import type { Scenario } from '../scenario.ts';
import { shortened } from '../scenario.ts';
import { REGISTER } from '../world.ts';

/** Each row takes its time, so that the server is in the middle of them when it goes away. */
const SLOWLY = 'SELECT bsn FROM (SELECT bsn, pg_sleep(0.05) FROM clients) AS slow';

export const databases: readonly Scenario[] = [
  {
    fault: 'database of the source away midway',
    missing: POSTGRES_MISSING,
    async run(world) {
      const source = await TestPostgres.start();
      const urlFile = world.file('source-url', source.url);
      chmodSync(urlFile, 0o600);
      const restore = world.configure((settings) => {
        const [register] = settings['registers'] as Record<string, unknown>[];
        if (register !== undefined) register['source'] = { sql: { urlFile, query: SLOWLY } };
      });
      try {
        await source.sql('CREATE TABLE clients (bsn char(9))');
        await source.sql(`INSERT INTO clients VALUES ${world.clients.map((bsn) => `('${bsn}')`).join()}`);
        const run = world.begin('import', '--register', REGISTER);
        const reading = async (): Promise<boolean> =>
          (await source.sql("SELECT 1 FROM pg_stat_activity WHERE query LIKE 'FETCH%' AND state = 'active'"))
            .length > 0;
        while (run.isRunning && !(await reading())) await delay(20);
        await delay(200);
        await source.crash();
        const { code, text } = await run.ended();
        require(code === 1, `it was imported: ${text}`);
        const found = /the query of [^\n]*nothing was changed[^\n]*/.exec(text)?.[0];
        require(found !== undefined, `it does not say what happened: ${text}`);
        require(!world.clients.some((bsn) => text.includes(bsn)), 'the error repeats a number');
        await source.start();
        const again = await world.command('import', '--register', REGISTER);
        require(again.code === 0, `it cannot be imported afterwards: ${again.text}`);
        return shortened(found);
      } finally {
        restore();
        await source.remove();
      }
    },
  },
  {
    fault: 'own PostgreSQL away while it serves',
    on: 'PostgreSQL',
    missing: POSTGRES_MISSING,
    async run(world) {
      const asked = [0, 1, 2, 3].map((n) => world.ask(world.clients[n] as string));
      await delay(30);
      await world.postgres.crash();
      try {
        const seen = new Set(await Promise.all(asked));
        const reason = await world.untilNotReady(/the log cannot be written/);
        const outcome = await world.ask(world.clients[0] as string);
        require(outcome.startsWith('no-answer'), `it was answered without a log: ${outcome}`);
        return `${shortened(reason)}; answers were ${[...seen.add(outcome)].sort().join(', ')}`;
      } finally {
        await world.postgres.start();
      }
    },
  },
  {
    fault: 'own PostgreSQL away during an import',
    on: 'PostgreSQL',
    missing: POSTGRES_MISSING,
    async run(world) {
      const run = await world.beginImport();
      await world.postgres.crash();
      const { code, text } = await run.ended();
      await world.postgres.start();
      require(code === 1, `it was imported: ${text}`);
      const found = /hit-agent: [^\n]*/.exec(text)?.[0];
      require(found !== undefined, `it does not say what happened: ${text}`);
      return shortened(found);
    },
  },
];

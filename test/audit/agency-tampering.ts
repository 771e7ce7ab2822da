import { cpSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { setTimeout as delay } from 'node:timers/promises';
import type { AgencyLogContent } from '@hitmachine/protocol';
import { AGENCY_LOG_START, agencyLogChain, agencyLogContentHash } from '@hitmachine/protocol';
import { runCli } from '../../gateway/src/cli/program.ts';
import { Federation } from '../harness/federation.ts';
import type { Result } from './result.ts';

const PERSON = { bsn: '999990019' };
const REGISTERS = ['gemeente/zaken', 'politie/zaken'];
const ANOTHER = { bsn: '123456782' };
const LOOKUPS = 8;
const TRIES_MS = 30_000;

interface Row extends AgencyLogContent {
  readonly lookup_key: string;
}

/** What somebody with the database of an agency, and without its keys, does to its log. */
interface RowTampering {
  readonly kind: string;
  readonly done: string;
  /** Gives the entry that must be named. */
  readonly apply: (database: DatabaseSync) => number;
}

const place = (database: DatabaseSync): number =>
  Math.floor(Number(database.prepare('SELECT max(sequence) AS last FROM log').get()?.['last']) / 2);

const ROW_TAMPERINGS: readonly RowTampering[] = [
  {
    kind: "agency's log altered",
    done: 'a byte of what was logged is another one',
    apply(database) {
      const i = place(database);
      const sealed = database.prepare('SELECT sealed FROM log WHERE sequence = ?').get(i)?.[
        'sealed'
      ] as Uint8Array;
      sealed[5] = (sealed[5] ?? 0) ^ 1;
      database.prepare('UPDATE log SET sealed = ? WHERE sequence = ?').run(sealed, i);
      return i;
    },
  },
  {
    kind: "agency's log, entry removed",
    done: 'an entry in the middle is gone, and the others are renumbered and chained anew',
    apply(database) {
      const i = place(database);
      database.prepare('DELETE FROM log WHERE sequence = ?').run(i);
      chainAnew(database, (row) => (row.sequence > i ? row.sequence - 1 : row.sequence));
      return i;
    },
  },
  {
    kind: "agency's log reordered",
    done: 'two entries changed places, and all were chained anew',
    apply(database) {
      const i = place(database);
      chainAnew(database, ({ sequence }) => (sequence === i ? i + 1 : sequence === i + 1 ? i : sequence));
      return i;
    },
  },
  {
    kind: "agency's log back-dated",
    done: 'the time of an entry is an hour earlier, and all were chained anew',
    apply(database) {
      const i = place(database);
      database.prepare('UPDATE log SET at = at - 3600000 WHERE sequence = ?').run(i);
      chainAnew(database, ({ sequence }) => sequence);
      return i;
    },
  },
  {
    kind: "agency's log cut off",
    done: 'the newest entries are gone, among them those that the gateway holds the head of',
    apply(database) {
      const kept = 2;
      database.prepare('DELETE FROM log WHERE sequence > ?').run(kept);
      return kept + 1;
    },
  },
];

/** Renumbers the entries and makes their hashes and the chain anew, as anybody can who has the file. */
function chainAnew(database: DatabaseSync, numberOf: (row: Row) => number): void {
  const rows = database.prepare('SELECT * FROM log ORDER BY sequence').all() as unknown as Row[];
  const ordered = rows
    .map((row) => ({ ...row, sequence: numberOf(row) }))
    .sort((a, b) => a.sequence - b.sequence);
  database.exec('BEGIN; DELETE FROM log');
  let { chain } = AGENCY_LOG_START;
  for (const row of ordered) {
    const { sequence, at, event, lookup_key: lookupKey, nonce, sealed } = row;
    const contentHash = agencyLogContentHash({ sequence, at, event, lookupKey, nonce, sealed });
    chain = agencyLogChain(chain, at, contentHash);
    database
      .prepare(
        'INSERT INTO log (sequence, at, event, lookup_key, nonce, sealed, content_hash, chain) VALUES (?, ?, ?, ?, ?, ?, ?, ?)',
      )
      .run(sequence, at, event, lookupKey, nonce, sealed, contentHash, chain);
  }
  database.exec('COMMIT');
}

function withoutTriggers(path: string): DatabaseSync {
  const database = new DatabaseSync(path);
  for (const { name } of database.prepare("SELECT name FROM sqlite_schema WHERE type = 'trigger'").all())
    database.exec(`DROP TRIGGER ${String(name)}`);
  return database;
}

/** Tampers with what real agents keep, and with what a real gateway tells them. */
export async function tamperWithAgencies(tell: (line: string) => void): Promise<Result[]> {
  const federation = await Federation.start({
    agencies: {
      politie: [{ id: 'zaken', tokenTypes: ['bsn'] }],
      gemeente: [{ id: 'zaken', tokenTypes: ['bsn'] }],
    },
    publishEveryMs: 100,
  });
  try {
    for (const agency of federation.agencies.values()) await agency.import('zaken', [PERSON]);
    await federation.serveAll();
    for (let i = 0; i < LOOKUPS; i++)
      await federation.agency('gemeente').lookup([PERSON], { registers: REGISTERS });
    // A new epoch anchors the log as it is now in that of the gateway.
    await federation.agency('politie').import('zaken', [PERSON, ANOTHER]);
    await federation.agency('politie').ready();
    tell(`two real agents asked and answered ${LOOKUPS} lookups`);
    return [...(await tamperWithRows(federation)), await rollBack(federation)];
  } finally {
    await federation.close();
  }
}

async function tamperWithRows(federation: Federation): Promise<Result[]> {
  const politie = federation.agency('politie');
  await politie.stop();
  const anchors = join(federation.folder, 'anchors.ndjson');
  const lines: string[] = [];
  await runCli(['log', '--dir', federation.gatewayFolder], {
    environment: {},
    print: (line) => lines.push(line),
    explain: () => undefined,
  });
  writeFileSync(anchors, lines.join('\n'));
  const verify = () => politie.tryRun('log', 'verify', '--anchors', anchors);
  const control = await verify();
  if (control.code !== 0)
    throw new Error(`the untampered log of an agency does not pass: ${control.out}${control.err}`);
  const results: Result[] = [];
  for (const { kind, done, apply } of ROW_TAMPERINGS) {
    await onCopy(politie.folder, 'agent.sqlite', async (path) => {
      const database = withoutTriggers(path);
      const entry = apply(database);
      database.close();
      const { code, out, err } = await verify();
      const named = (out + err).trim();
      const noticed = code !== 0 && new RegExp(`^Entry ${entry} `, 'i').test(named);
      results.push({
        kind,
        done,
        detectedBy: code === 0 ? [] : ['agency log verify'],
        named,
        missed: noticed ? [] : [`agency log verify (entry ${entry}: ${named})`],
      });
    });
  }
  await politie.start();
  await politie.ready();
  return results;
}

/** Does something to the database of an agency that is stopped, and puts it back. */
async function onCopy(folder: string, name: string, work: (path: string) => Promise<void>): Promise<void> {
  const files = readdirSync(folder).filter((file) => file.startsWith(name));
  const saved = join(folder, 'saved');
  for (const file of files) cpSync(join(folder, file), join(saved, file));
  try {
    await work(join(folder, name));
  } finally {
    for (const file of readdirSync(folder)) if (file.startsWith(name)) rmSync(join(folder, file));
    cpSync(saved, folder, { recursive: true });
    rmSync(saved, { recursive: true });
  }
}

/** The gateway's database is put back to an earlier copy and goes on; real agents must stop trusting it. */
async function rollBack(federation: Federation): Promise<Result> {
  const gemeente = federation.agency('gemeente');
  await federation.stopGateway();
  const backup = join(federation.folder, 'backup');
  cpSync(federation.gatewayFolder, backup, { recursive: true });
  await federation.startGateway();
  const alarms = async (): Promise<string> => {
    const { log } = (await gemeente.call('GET', '/v1/status')) as {
      log: { alarms: readonly { kind: string }[] };
    };
    return log.alarms.map(({ kind }) => kind).join(', ');
  };
  await gemeente.ready();
  await gemeente.lookup([PERSON], { registers: ['gemeente/zaken'] });
  await delay(1_000);
  if ((await alarms()) !== '') throw new Error('there is an alarm before anything was done');
  await federation.stopGateway();
  rmSync(federation.gatewayFolder, { recursive: true });
  cpSync(backup, federation.gatewayFolder, { recursive: true });
  await federation.startGateway();
  let said = '';
  for (const end = Date.now() + TRIES_MS; said === '' && Date.now() < end; await delay(100))
    said = await alarms();
  const evidence = await gemeente.run('log', 'alarms');
  return {
    kind: 'rolled back, before real agents',
    done: 'the database of a running federation is put back to an earlier copy',
    detectedBy: said === '' ? [] : ["partner's agent"],
    named: `${said}: ${evidence.split('\n')[0] ?? ''}`,
    missed: said === '' ? ["partner's agent (no alarm)"] : [],
  };
}

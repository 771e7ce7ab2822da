import { createHash } from 'node:crypto';
import { readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { tokensOf } from '@hitmachine/protocol';
import { LogRows } from '../../gateway/src/adapters/sqlite/log-rows.ts';
import { STATEMENTS } from '../harness/agency.ts';
import type { TestPerson } from '../harness/agency.ts';
import type { Federation } from '../harness/federation.ts';
import type { Place } from './support/traces.ts';
import { findTraces, tracesOf } from './support/traces.ts';
import { startWaalstad } from './support/waalstad.ts';

/** Marked so that they cannot turn up by chance, and in every role that a person can have. */
const MARKED: Readonly<Record<string, TestPerson>> = {
  hit: {
    bsn: '270010014',
    surname: 'Quastenvoort',
    prefix: "van 't",
    givenNames: 'Zwaantjedina',
    birthDate: '19470831',
    postcode: '9876QX',
    houseNumber: '40321',
  },
  miss: { bsn: '270010026', surname: 'Ypenbürghölt', givenNames: 'Xenobïa', birthDate: '19330717' },
  badRow: { bsn: '270010011', surname: 'Wrzesniowskixx', givenNames: 'Qwertina', birthDate: '19999999' },
};

/** Texts of a marked person that are long enough to be unmistakable. */
const textsOf = (person: TestPerson): string[] =>
  Object.entries(person)
    .filter(([field]) => !['prefix', 'houseNumber'].includes(field))
    .map(([, value]) => value as string);

describe('no trace of a person, in plain, encoded or hashed form', () => {
  let federation: Federation;
  const answers: string[] = [];
  const secrets = Object.values(MARKED).flatMap(textsOf);
  /** Normalised forms, and the encoded tokens that are blinded. */
  const derived = [
    ...['quastenvoort', 'zwaantjedina', 'ypenburgholt', 'xenobia', 'quastenvoortzwaantjedina19470831'],
    ...['1947-08-31', '31-08-1947', '9876QX40321'],
  ];

  beforeAll(async () => {
    federation = await startWaalstad({}, [MARKED['hit']!]);
    const politie = federation.agency('politie');
    const vragen = federation.agency('vragen');
    await politie.import('incidenten', [MARKED['hit']!]);
    await politie.ready();
    const { bsn: _, ...byName } = MARKED['hit']!;
    for (const person of [MARKED['hit']!, MARKED['miss']!, byName])
      answers.push(JSON.stringify((await vragen.lookup([person])).persons));
    await everythingThatGoesWrong();
  }, 120_000);
  afterAll(() => federation.close());

  /** Errors like to quote what was wrong. */
  async function everythingThatGoesWrong(): Promise<void> {
    const politie = federation.agency('politie');
    const vragen = federation.agency('vragen');
    const bad = MARKED['badRow']!;
    const file = join(politie.folder, 'bad.csv');
    writeFileSync(
      file,
      `bsn,surname,givenNames,birthDate\n${bad.bsn},${bad.surname},${bad.givenNames},${bad.birthDate}\n`,
    );
    await politie.tryRun('import', file, '--register', 'incidenten');
    writeFileSync(file, `bsn,surname\n"${bad.bsn},${bad.surname}\n`);
    await politie.tryRun('import', file, '--register', 'incidenten');
    const ask = async (body: unknown): Promise<void> =>
      void answers.push(await (await vragen.fetch('POST', '/v1/lookups', body)).text());
    const base = {
      purpose: 'casusoverleg-zvh',
      caseReference: 'ZVH-1',
      professional: 'j.jansen',
      role: 'case-worker',
      statements: STATEMENTS['casusoverleg-zvh'],
    };
    await ask({ ...base, persons: [{ bsn: bad.bsn }] });
    await ask({
      ...base,
      persons: [{ bsn: MARKED['hit']!.bsn, birthDate: bad.birthDate, name: { surname: bad.surname } }],
    });
    await ask({ ...base, purpose: 'onbekend', persons: [{ bsn: MARKED['hit']!.bsn }] });
    await ask({ ...base, persons: [{ bsn: MARKED['hit']!.bsn, surname: MARKED['hit']!.surname }] });
    await politie.stop();
    answers.push(JSON.stringify((await vragen.lookup([MARKED['hit']!])).persons));
    await federation.stopGateway();
    await ask({ ...base, persons: [{ bsn: MARKED['miss']!.bsn }] });
    await federation.startGateway();
    await politie.start();
  }

  /** They stand compressed in the database, where nothing that they say would be found. */
  function logEntries(): Uint8Array[] {
    const database = new DatabaseSync(join(federation.gatewayFolder, 'gateway.sqlite'), { readOnly: true });
    try {
      return new LogRows(database).leaves(0, Number.MAX_SAFE_INTEGER);
    } finally {
      database.close();
    }
  }

  /** Logs and terminals, every file of gateway and agents but the client files themselves, and every message. */
  function places(): Place[] {
    const files = readdirSync(federation.folder, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile() && !entry.name.endsWith('.csv'))
      .map((entry) => join(entry.parentPath, entry.name));
    const messages = federation.tap!.heard.flatMap(({ what, headers, bytes }, i): Place[] => [
      { name: `message ${i} (${what})`, content: bytes },
      { name: `headers of message ${i} (${what})`, content: Buffer.from(JSON.stringify(headers)) },
    ]);
    return [
      { name: 'logs and terminals', content: Buffer.from(federation.logs.text()) },
      { name: 'answers of the agents', content: Buffer.from(answers.join('\n')) },
      { name: "entries of the gateway's log", content: Buffer.concat(logEntries()) },
      ...files.map((file) => ({ name: file.slice(federation.folder.length), content: readFileSync(file) })),
      ...messages,
    ];
  }

  it('is found in any log, terminal, database, file, message, header or answer', () => {
    const searched = places();
    expect(searched.filter(({ name }) => name.includes('.sqlite')).length).toBeGreaterThanOrEqual(4);
    expect(logEntries().some((leaf) => Buffer.from(leaf).includes('"event":"lookup"'))).toBe(true);
    expect(searched.filter(({ name }) => name.startsWith('message')).length).toBeGreaterThan(40);
    expect(answers.some((answer) => answer.includes('"known"'))).toBe(true);
    expect(answers.some((answer) => answer.includes('bsn-invalid'))).toBe(true);
    expect(answers.some((answer) => answer.includes('gateway-unreachable'))).toBe(true);
    expect(findTraces([...secrets, ...derived], searched)).toEqual([]);
  });

  it('is found as an encoded token, hashed or not', () => {
    const types = ['bsn', 'name+birthdate'];
    const { bsn, surname, prefix, givenNames, birthDate } = MARKED['hit']!;
    const tokens = tokensOf({ bsn, name: { surname: surname!, prefix, givenNames }, birthDate }, types);
    const found = [...tokens.values()].flatMap((token) => {
      const digests = ['sha256', 'sha512', 'blake2b512'].map((hash) =>
        createHash(hash).update(token).digest(),
      );
      const forms = [Buffer.from(token), ...digests.map((digest) => digest.subarray(0, 16))];
      return places().filter(({ content }) => forms.some((form) => Buffer.from(content).includes(form)));
    });
    expect(found.map(({ name }) => name)).toEqual([]);
  });

  it('would be found: every form of every secret, planted in every kind of place', () => {
    for (const secret of [...secrets, ...derived])
      for (const { form, bytes } of tracesOf(secret)) {
        const noise = Buffer.alloc(1_000, 0xa7);
        const content = Buffer.concat([noise, bytes, noise]);
        expect(findTraces([secret], [{ name: 'here', content }]).length, `${secret} ${form}`).toBeGreaterThan(
          0,
        );
      }
    const [clientFile] = readdirSync(federation.agency('politie').folder).filter(
      (name) => name === 'incidenten.csv',
    );
    const content = readFileSync(join(federation.agency('politie').folder, clientFile!));
    expect(findTraces(secrets, [{ name: 'the client file', content }]).length).toBeGreaterThan(0);
  });
});

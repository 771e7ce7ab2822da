import { mkdtempSync, readFileSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { stripVTControlCharacters } from 'node:util';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { TOKEN_TYPES, expectedRegisters, makePopulation } from '../../deploy/demo/population/index.ts';
import { ProgressBar } from '../../deploy/demo/progress-bar.ts';
import { clip, wrap } from '../../deploy/demo/screen.ts';
import { drawTable } from '../../deploy/demo/table.ts';
import { welcome } from '../../deploy/demo/welcome.ts';
import { Workspace } from '../../deploy/demo/workspace.ts';

const city = makePopulation({ seed: 2026 });
const registers = city.agencies.flatMap((agency) => agency.registers);

const DESK = { baseUrl: 'http://127.0.0.1:8461', issuer: 'http://127.0.0.1:8469' };

/** A screen that keeps what is written on it, or without `columns` a file. */
function screen(columns?: number): { out: NodeJS.WriteStream; said: () => string } {
  const stream = new PassThrough();
  let said = '';
  stream.on('data', (chunk: Buffer) => (said += chunk.toString()));
  const terminal = columns === undefined ? {} : { isTTY: true, columns };
  return { out: Object.assign(stream, terminal) as unknown as NodeJS.WriteStream, said: () => said };
}

const widest = (text: string): number =>
  Math.max(...text.split(/[\n\r]/).map((line) => stripVTControlCharacters(line).length));

describe('the progress bar', () => {
  it.each([200, 100, 80, 61, 60, 40, 20])('is narrower than a terminal of %i columns', (columns) => {
    const { out, said } = screen(columns);
    const bar = new ProgressBar(out, 'Clients imported', 5210);
    for (const { name } of registers) bar.show(5209, name);
    expect(widest(said())).toBeLessThan(columns);
    if (columns >= 80) expect(said()).toContain('5209 of 5210  Leerplicht');
    if (columns >= 40) expect(said()).toContain('5209 of');
  });

  it('is a line a step without a terminal, none of them wider than 80 columns', () => {
    const { out, said } = screen();
    const bar = new ProgressBar(out, 'Clients imported', 5210);
    for (const agency of city.agencies)
      for (const { name, clients } of agency.registers)
        bar.step(`${clients.length}, ${agency.name}, ${name}`);
    bar.finish();
    expect(said().trim().split('\n')).toHaveLength(registers.length + 1);
    expect(widest(said())).toBeLessThanOrEqual(80);
  });
});

describe('the table of answers', () => {
  const answersOf = (person: (typeof city.residents)[number]) => {
    const hits = new Map(
      expectedRegisters(city, person, TOKEN_TYPES).map((hit) => [hit.register.path, hit.matchedOn]),
    );
    return registers.map(({ path }) => ({
      register: path,
      status: hits.has(path) ? 'known' : 'not-known',
      matchedOn: hits.get(path) ?? [],
      reason: undefined,
      contact: undefined,
    }));
  };
  const everywhere = registers.map(({ path }) => ({
    register: path,
    status: 'known',
    matchedOn: [...TOKEN_TYPES],
    reason: undefined,
    contact: undefined,
  }));
  const residents = [...city.residents].sort((a, b) => b.surname.length - a.surname.length).slice(0, 50);
  const scenes = [
    {
      title: 'All',
      asker: 'Gemeente Waalstad',
      milliseconds: 100,
      persons: residents.flatMap((person) => [
        { person, answers: answersOf(person) },
        { person, answers: everywhere },
      ]),
    },
  ];

  it('fits 80 columns and has every column under its title', () => {
    const lines = drawTable(city, scenes, screen().out).split('\n');
    expect(widest(lines.join('\n'))).toBeLessThanOrEqual(80);
    const titles = lines.filter((line) => line.includes('┐'));
    const corners = titles.map((line) => line.indexOf('┐')).reverse();
    const row = lines.find((line) => line.includes('●bna ●bna')) ?? '';
    expect([...row].flatMap((sign, column) => (sign === '●' ? [column] : []))).toEqual(corners);
    expect(titles.map((line) => line.split('┐')[0]?.trim())).toContain(
      'Gemeente Waalstad: Sociale wijkteams',
    );
  });
});

describe('the welcome', () => {
  let folder: string;
  let before: string;

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'hitmachine-demo-test-'));
    before = process.cwd();
    process.chdir(folder);
  });
  afterEach(() => {
    process.chdir(before);
    rmSync(folder, { recursive: true });
  });

  const service = (index: number) => ({
    label: '',
    url: `http://127.0.0.1:${8460 + index}`,
    kill: async () => undefined,
  });
  const text = (): string => {
    const agents = city.agencies.map((agency, i) => ({ agency, service: service(i + 1), apiKey: '' }));
    return welcome(city, service(0), agents, new Workspace(join(folder, '.demo')), DESK, screen().out);
  };

  it('fits 80 columns and says without colours where a name ends', () => {
    const said = text();
    expect(widest(said)).toBeLessThanOrEqual(80);
    expect(said).toContain('http://127.0.0.1:8461  Gemeente Waalstad: Leerplicht, Schuldhulpverlening,');
    expect(said).toContain('http://127.0.0.1:8460  Gateway: learns nothing');
    expect(said).toContain("The professional's desk: http://127.0.0.1:8461/desk");
    expect(said).toMatch(/jansen +J\. Jansen, professional/);
  });

  it('names files that both commands can read', () => {
    const said = text();
    const files = readdirSync(join(folder, '.demo', 'try')).sort();
    expect(files).toHaveLength(6);
    for (const file of files.filter((name) => !name.includes('.request.'))) {
      expect(said).toContain(`.demo/try/${file}`);
      const read = (name: string) =>
        JSON.parse(readFileSync(join(folder, '.demo', 'try', name), 'utf8')) as unknown;
      const persons = read(file);
      expect(persons).toBeInstanceOf(Array);
      expect(read(file.replace('.json', '.request.json'))).toMatchObject({
        purpose: 'casusoverleg-zvh',
        persons,
      });
    }
  });
});

describe('words', () => {
  it('are clipped and wrapped at the width that is given', () => {
    expect(clip('Waalstad', 8)).toBe('Waalstad');
    expect(clip('Waalstad', 7)).toBe('Waalst…');
    expect(clip('Waalstad', 0)).toBe('');
    expect(wrap('one two three', 7)).toEqual(['one two', 'three']);
    expect(wrap('incomprehensible', 7)).toEqual(['incomprehensible']);
  });
});

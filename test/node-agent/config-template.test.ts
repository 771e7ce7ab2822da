import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Config } from '../../node-agent/src/config.ts';
import { CONFIG_TEMPLATE, readConfig } from '../../node-agent/src/config.ts';

/** A line of the template that is a setting behind a `#`, and no sentence: a name with a colon, or an item of a list. */
const SETTING = /^#(?= ?\s*(- )?[A-Za-z-]+:( |$))/;

/** Settings behind `#` that stand together: what an administrator takes the `#` away from at once. */
function examples(): string[][] {
  const found: string[][] = [];
  let last = -2;
  CONFIG_TEMPLATE.split('\n').forEach((line, number) => {
    const isInner = /^#\s+# /.test(line) && last === number - 1;
    if (!SETTING.test(line) && !isInner) return;
    if (last === number - 1) found.at(-1)?.push(line);
    else found.push([line]);
    last = number;
  });
  return found;
}

describe('the examples in the agent.yaml that init writes', () => {
  let folder: string;
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'hitmachine-template-'));
  });
  afterAll(() => rmSync(folder, { recursive: true }));

  /** What the template says with other lines in the place of some of its own. */
  function read(change: (text: string) => string): Config {
    const file = join(folder, 'agent.yaml');
    writeFileSync(file, change(CONFIG_TEMPLATE));
    return readConfig(file);
  }
  /** `# name:` stands as deep as `name:`, and `#  - id` belongs to the list above it. */
  const uncommented = (line: string): string => line.replace(/^# ?/, line.startsWith('#  ') ? ' ' : '');
  const without = (lines: readonly string[]) => (text: string) => {
    const block = lines.join('\n');
    expect(text).toContain(block);
    const list = lines[0]?.includes('- id:') === true;
    return text
      .replace(block, lines.map(uncommented).join('\n'))
      .replace('registers: []', list ? 'registers:' : 'registers: []');
  };

  it('are all found', () => {
    const names = examples().map(([first = '']) => /([A-Za-z]+):/.exec(first)?.[1]);
    for (const name of ['gateway', 'proxy', 'database', 'id', 'privacyOfficer', 'telemetry', 'desk'])
      expect(names).toContain(name);
  });

  it.each(examples().map((lines) => [lines[0] ?? '', lines] as const))('%s is valid', (_, lines) => {
    const before = read((text) => text);
    const after = read(without(lines));
    expect(JSON.stringify(after)).not.toBe(JSON.stringify(before));
  });

  describe('of a source', () => {
    const block = examples().find(([first]) => first?.includes('- id:') === true) ?? [];
    const source = (change: (text: string) => string) =>
      read((text) => change(without(block)(text))).registers[0]?.source;
    const inner = (name: string): RegExp => new RegExp(`# (${name}: \\{.*\\})`);

    it('are a file with its columns, by itself at a time', () => {
      expect(source((text) => text)).toMatchObject({
        csv: { file: '/srv/export/clienten.csv' },
        schedule: '06:30',
        columns: { bsn: 'BSN' },
      });
    });

    it('are a query in its place', () => {
      const changed = source((text) => text.replace(/ {6}csv:\n.*\n/, '').replace(inner('sql'), '$1'));
      expect(changed).toMatchObject({ sql: { urlFile: 'clients-url' } });
      expect(changed?.csv).toBeUndefined();
    });

    it('are pushed clients in its place', () => {
      const changed = source((text) =>
        text.replace(/ {6}csv:\n.*\n.*\n.*\n.*\n/, '').replace(inner('push'), '$1'),
      );
      expect(changed).toMatchObject({ push: {}, watch: false });
    });
  });
});

import { Console } from 'node:console';
import { Writable } from 'node:stream';
import { format, inspect } from 'node:util';
import { serialize } from 'node:v8';
import pino from 'pino';
import { describe, expect, test } from 'vitest';
import { Secret } from '@hitmachine/protocol';

const MARK = 'MARKED-KEY-MATERIAL';
const BYTES = new TextEncoder().encode(MARK);

/** An object that says itself how it is printed. */
interface Printable {
  toString(): string;
  toLocaleString(): string;
}

/** A stream that keeps what is written to it. */
class Kept extends Writable {
  text = '';
  override _write(chunk: Buffer, _encoding: string, done: () => void): void {
    this.text += chunk.toString();
    done();
  }
}

const logged = (value: Printable): string => {
  const stream = new Kept();
  const log = pino({ level: 'trace' }, stream);
  log.info(value);
  log.info({ value, nested: { list: [value] } }, 'message %s %j %o', value, value, value);
  log.error({ err: Object.assign(new Error('failed', { cause: value }), { value }) });
  log.child({ value }).info('child');
  return stream.text;
};

const printed = (value: unknown): string => {
  const stream = new Kept();
  const terminal = new Console(stream, stream);
  terminal.log(value, { value }, [value]);
  terminal.log('%s %d %i %f %j %o %O %c', value, value, value, value, value, value, value, value);
  terminal.dir(value, { showHidden: true, depth: null });
  terminal.table([{ value }]);
  terminal.error(new Error('failed', { cause: value }));
  return stream.text;
};

/** Every way in which a value ends up in a text by accident. */
const WAYS: Readonly<Record<string, (value: Printable) => string>> = {
  String: (value) => String(value),
  template: (value) => `${value as unknown as string}`,
  concatenation: (value) => '' + (value as unknown as string),
  join: (value) => [value].join(),
  'toLocaleString()': (value) => value.toLocaleString(),
  JSON: (value) => JSON.stringify(value),
  'JSON, nested': (value) => JSON.stringify({ a: [value] }, undefined, 2),
  inspect: (value) => inspect(value),
  'inspect, everything': (value) => inspect({ value }, { showHidden: true, depth: Infinity, getters: true }),
  'inspect, without custom printing': (value) => inspect(value, { customInspect: false, showHidden: true }),
  format: (value) => format('%s %j %o %O', value, value, value, value),
  console: printed,
  pino: logged,
  keys: (value) => Object.entries(value).join() + Reflect.ownKeys(value).map(String).join(),
  spread: (value) => JSON.stringify({ ...value }),
  clone: (value) => serialize(value).toString('latin1'),
  'message of an error': (value) => new Error(value as unknown as string).message,
};

/** The forms in which a byte string could come out. */
const FORMS = [
  MARK,
  Buffer.from(BYTES).toString('hex'),
  Buffer.from(BYTES).toString('base64'),
  Buffer.from(BYTES).toString('hex').match(/../g)?.join(' '),
  BYTES.slice(0, 6).join(','),
  BYTES.slice(0, 6).join(', '),
  '"0":77,"1":65',
];
const leaks = (text: string): boolean => FORMS.some((form) => form !== undefined && text.includes(form));

/** What {@link Secret} would be without its care: the positive control. */
class Careless {
  readonly value: unknown;
  constructor(value: unknown) {
    this.value = value;
  }
  toString(): string {
    return String(this.value);
  }
}

const VALUES: readonly (readonly [string, unknown])[] = [
  ['a text', MARK],
  ['bytes', BYTES],
  ['a record', { key: MARK, list: [BYTES] }],
];

describe.each(Object.entries(WAYS))('a secret in %s', (way, show) => {
  test.each(VALUES)('that holds %s is not shown', (_, value) => {
    expect(leaks(show(new Secret(value)))).toBe(false);
  });

  test('would be shown, were it not one', () => {
    expect(VALUES.some(([, value]) => leaks(show(new Careless(value))))).toBe(true);
  });

  test('shows that there is something', () => {
    if (!['keys', 'spread', 'clone', 'inspect, without custom printing'].includes(way))
      expect(show(new Secret(MARK))).toContain('[redacted]');
  });
});

test('reveal is the one way in', () => {
  expect(new Secret(BYTES).reveal()).toBe(BYTES);
  expect(Object.getOwnPropertyNames(Secret.prototype).sort()).toEqual([
    'constructor',
    'reveal',
    'toJSON',
    'toString',
  ]);
});

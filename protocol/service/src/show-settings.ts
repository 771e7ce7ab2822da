import type { ReadSettings } from './settings.ts';
import type { Path } from './placed-yaml.ts';

/** A setting as an administrator may see it. */
export interface ShownSetting {
  /** `registers.0.id` */
  readonly setting: string;
  readonly value: string | number | boolean;
  /** `default`, `line 12`, or the variable of the environment. */
  readonly from: string;
}

const REDACTED = '[redacted]';
/** Settings that hold a secret themselves; one that names a file of a secret ends in File. */
const SECRET = /(?:secret|password|passphrase|token|credential|apikey)$/i;

/** Every setting in force, one by one, with where it comes from. What could open something is not shown. */
export function shownSettings<T>({ settings, originOf }: ReadSettings<T>): ShownSetting[] {
  return leaves(settings, []).map(({ path, value }) => {
    const origin = originOf(path);
    return {
      setting: path.map(String).join('.'),
      value: shown(String(path.at(-1)), value),
      from:
        origin.from === 'file'
          ? `line ${origin.line}`
          : origin.from === 'environment'
            ? origin.variable
            : 'default',
    };
  });
}

interface Leaf {
  readonly path: Path;
  readonly value: string | number | boolean;
}

function leaves(value: unknown, path: Path): Leaf[] {
  if (value === undefined || value === null) return [];
  if (typeof value !== 'object') return [{ path, value: value as string | number | boolean }];
  if (isAddress(value)) return [{ path, value: `${bracketed(value.host)}:${value.port}` }];
  // A list of words is one setting; a list of things is as many as these have.
  if (Array.isArray(value) && value.every((entry) => typeof entry !== 'object'))
    return [{ path, value: `[${value.join(', ')}]` }];
  return Object.entries(value).flatMap(([name, inner]) =>
    leaves(inner, [...path, Array.isArray(value) ? Number(name) : name]),
  );
}

interface Address {
  readonly host: string;
  readonly port: number;
}

function isAddress(value: object): value is Address {
  return Object.keys(value).sort().join() === 'host,port';
}

const bracketed = (host: string): string => (host.includes(':') ? `[${host}]` : host);

function shown(name: string, value: string | number | boolean): string | number | boolean {
  if (typeof value !== 'string') return value;
  if (SECRET.test(name)) return REDACTED;
  return withoutCredentials(value);
}

/** An address without what may open something in it: user, password, and all that stands behind a question mark. */
export function withoutCredentials(text: string): string {
  if (!/^[a-z][a-z0-9+.-]*:\/\//i.test(text)) return text;
  if (!URL.canParse(text)) return REDACTED;
  const { username, password, search } = new URL(text);
  if (username === '' && password === '' && search === '') return text;
  return text.replace(/\/\/[^/?#]*@/, `//${REDACTED}@`).replace(/\?[^#]*/, `?${REDACTED}`);
}

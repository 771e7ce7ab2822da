import { HitError } from '@hitmachine/protocol';
import { parse } from 'yaml';
import type { z } from 'zod';
import { settingsOf } from './known-names.ts';
import { nearestName } from './nearest-name.ts';

type Environment = Readonly<Record<string, string | undefined>>;

let environment: Environment = {};

/**
 * Tells which variables of the environment may take the place of settings. There is one environment a process, and
 * only main.ts reads it, so it is not passed from hand to hand.
 */
export function useOverrides(variables: Environment): void {
  environment = variables;
}

/** How the settings of one service are called in the environment. */
export interface OverrideNames {
  /** `HIT_AGENT_` */
  readonly prefix: string;
  /** Variables that begin so and are no settings. */
  readonly others: readonly string[];
}

/** A setting that the environment gives. */
export interface Override {
  readonly variable: string;
  readonly path: readonly string[];
  readonly value: unknown;
}

/** What container engines set for a service of the same name: `HIT_AGENT_PORT=tcp://10.0.0.1:8461`. */
const OF_THE_ENGINE = /^(?:SERVICE_HOST|SERVICE_PORT(?:_.*)?|PORT(?:_\d+_(?:TCP|UDP).*)?)$/;

/** `log.retentionDays` is `LOG__RETENTION_DAYS`. */
export function variableOf({ prefix }: OverrideNames, path: readonly string[]): string {
  return prefix + path.map((name) => name.replace(/[A-Z]/g, '_$&').toUpperCase()).join('__');
}

/**
 * The settings that the environment gives: a text as it is, anything else as YAML. A variable without content counts
 * as one that is not there. Throws `config-invalid` for names that no setting has.
 */
export function overridesOf(schema: z.ZodType, names: OverrideNames): Override[] {
  const known = new Map(settingsOf(schema).map((setting) => [variableOf(names, setting.path), setting]));
  const overrides: Override[] = [];
  const unknown: string[] = [];
  for (const [variable, text] of Object.entries(environment)) {
    const ours = variable.startsWith(names.prefix) && !names.others.includes(variable);
    if (!ours || text === undefined || text === '') continue;
    const setting = known.get(variable);
    if (setting !== undefined)
      overrides.push({ variable, path: setting.path, value: valueOf(variable, text, setting.isText) });
    else if (!OF_THE_ENGINE.test(variable.slice(names.prefix.length)))
      unknown.push(refusal(variable, known.keys()));
  }
  if (unknown.length > 0) throw new HitError('config-invalid', unknown.join('\n'));
  // A group before what stands in it, so that the narrower one holds.
  return overrides.sort((a, b) => a.path.length - b.path.length);
}

function valueOf(variable: string, text: string, isText: boolean): unknown {
  if (isText) return text;
  try {
    return parse(text) as unknown;
  } catch (cause) {
    throw new HitError(
      'config-invalid',
      `${variable}: this is not YAML; look at quotation marks and brackets`,
      { cause },
    );
  }
}

function refusal(variable: string, known: Iterable<string>): string {
  const meant = nearestName(variable, known);
  const cure = meant === undefined ? 'take it out of the environment' : `did you mean ${meant}?`;
  return `${variable}: the environment sets it, and no setting is called so; ${cure}`;
}

/** A copy of what a file says with the settings of the environment in their places. */
export function withOverrides(value: unknown, overrides: readonly Override[]): unknown {
  return overrides.reduce((base, { path, value: given }) => put(base, path, given), value);
}

function put(base: unknown, [name, ...rest]: readonly string[], given: unknown): unknown {
  if (name === undefined) return given;
  // What is no object is refused by the schema, at its own place.
  if (typeof base !== 'object' && base !== undefined) return base;
  const fields = (base ?? {}) as Record<string, unknown>;
  return { ...fields, [name]: put(fields[name], rest, given) };
}

import { HitError } from '@hitmachine/protocol';
import { shownSettings } from '@hitmachine/service';
import type { Config } from './config.ts';
import { readPlacedConfig } from './config.ts';
import type { OperationalLog } from './ports/operational-log.ts';

/** A part of agent.yaml that a running agent can take in. */
export interface Reloadable {
  /** Whether it is made of this setting (`registers.0.contact.name`). */
  readonly has: (setting: string) => boolean;
  readonly take: (config: Config) => void;
}

/**
 * The settings of a running agent, as agent.yaml has them. At SIGHUP those that can be are taken in, and of those that
 * cannot the log says that they need a restart. A file that does not hold changes nothing.
 */
export class RunningSettings {
  readonly #file: string;
  readonly #log: OperationalLog;
  readonly #parts: readonly Reloadable[];
  #held: ReadonlyMap<string, unknown>;
  #refused: string | undefined;
  #restart: readonly string[] = [];

  constructor(file: string, log: OperationalLog, parts: readonly Reloadable[]) {
    this.#file = file;
    this.#log = log;
    this.#parts = parts;
    this.#held = this.#read().values;
  }

  /** What an administrator should know of the settings. */
  get notices(): readonly string[] {
    return [
      ...(this.#refused === undefined
        ? []
        : [`the changed agent.yaml was refused, and the settings before it stay: ${this.#refused}`]),
      ...(this.#restart.length === 0
        ? []
        : [`settings changed that need a restart of this agent: ${this.#restart.join(', ')}`]),
    ];
  }

  reload(): void {
    try {
      const { config, values } = this.#read();
      const changed = changedBetween(this.#held, values);
      const parts = this.#parts.filter(({ has }) => changed.some(has));
      // Those that need a restart count from the next start on, so they stay other than what is held.
      this.#restart = changed.filter((setting) => !this.#parts.some(({ has }) => has(setting)));
      for (const { take } of parts) take(config);
      this.#held = new Map([
        ...[...this.#held].filter(([setting]) => !this.#parts.some(({ has }) => has(setting))),
        ...[...values].filter(([setting]) => this.#parts.some(({ has }) => has(setting))),
      ]);
      this.#refused = undefined;
      const taken = changed.filter((setting) => !this.#restart.includes(setting));
      this.#log.info({ event: 'reloaded', changed: taken.join(', ') });
      if (this.#restart.length > 0)
        this.#log.warn({ event: 'reload-needs-restart', settings: this.#restart.join(', ') });
    } catch (error) {
      this.#refused = error instanceof HitError ? error.detail : 'agent.yaml cannot be taken in';
      this.#log.error({ event: 'reload-refused', reason: this.#refused });
    }
  }

  #read(): { readonly config: Config; readonly values: Map<string, unknown> } {
    const read = readPlacedConfig(this.#file);
    const values = new Map(shownSettings(read).map(({ setting, value }) => [setting, value]));
    return { config: read.settings, values };
  }
}

function changedBetween(before: ReadonlyMap<string, unknown>, after: ReadonlyMap<string, unknown>): string[] {
  const names = new Set([...before.keys(), ...after.keys()]);
  return [...names].filter((name) => before.get(name) !== after.get(name)).sort();
}

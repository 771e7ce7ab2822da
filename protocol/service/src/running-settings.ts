import { HitError } from '@hitmachine/protocol';
import type { ReadSettings } from './settings.ts';
import { shownSettings } from './show-settings.ts';

/** A part of a settings file that a running service can take in. */
export interface Reloadable<T> {
  /** Whether it is made of this setting (`registers.0.contact.name`). */
  readonly has: (setting: string) => boolean;
  readonly take: (settings: T) => void;
}

/** Who hears what became of a reload; settings are named, with commas between them. */
export interface ReloadListener {
  reloaded(changed: string): void;
  needsRestart(settings: string): void;
  refused(reason: string): void;
}

/**
 * The settings of a running service, as its file has them. At SIGHUP those that can be are taken in, and of those that
 * cannot it is told that they need a restart. A file that does not hold changes nothing.
 */
export class RunningSettings<T> {
  readonly #name: string;
  readonly #program: string;
  readonly #read: () => ReadSettings<T>;
  readonly #listener: ReloadListener;
  readonly #parts: readonly Reloadable<T>[];
  #held: ReadonlyMap<string, unknown>;
  #refused: string | undefined;
  #restart: readonly string[] = [];

  /** `name`: that of the file, and `program` (this agent) who goes by it, for messages. Throws what `read` throws. */
  constructor(
    { name, program }: { readonly name: string; readonly program: string },
    read: () => ReadSettings<T>,
    listener: ReloadListener,
    parts: readonly Reloadable<T>[],
  ) {
    this.#name = name;
    this.#program = program;
    this.#read = read;
    this.#listener = listener;
    this.#parts = parts;
    this.#held = valuesOf(read());
  }

  /** What an administrator should know of the settings. */
  get notices(): readonly string[] {
    return [
      ...(this.#refused === undefined
        ? []
        : [`the changed ${this.#name} was refused, and the settings before it stay: ${this.#refused}`]),
      ...(this.#restart.length === 0
        ? []
        : [`settings changed that need a restart of ${this.#program}: ${this.#restart.join(', ')}`]),
    ];
  }

  reload(): void {
    try {
      const read = this.#read();
      const values = valuesOf(read);
      const changed = changedBetween(this.#held, values);
      const parts = this.#parts.filter(({ has }) => changed.some(has));
      // Those that need a restart count from the next start on, so they stay other than what is held.
      this.#restart = changed.filter((setting) => !this.#isTaken(setting));
      for (const { take } of parts) take(read.settings);
      this.#held = new Map([
        ...[...this.#held].filter(([setting]) => !this.#isTaken(setting)),
        ...[...values].filter(([setting]) => this.#isTaken(setting)),
      ]);
      this.#refused = undefined;
      this.#listener.reloaded(changed.filter((setting) => this.#isTaken(setting)).join(', '));
      if (this.#restart.length > 0) this.#listener.needsRestart(this.#restart.join(', '));
    } catch (error) {
      this.#refused = error instanceof HitError ? error.detail : `${this.#name} cannot be taken in`;
      this.#listener.refused(this.#refused);
    }
  }

  #isTaken(setting: string): boolean {
    return this.#parts.some(({ has }) => has(setting));
  }
}

const valuesOf = <T>(read: ReadSettings<T>): Map<string, unknown> =>
  new Map(shownSettings(read).map(({ setting, value }) => [setting, value]));

function changedBetween(before: ReadonlyMap<string, unknown>, after: ReadonlyMap<string, unknown>): string[] {
  const names = new Set([...before.keys(), ...after.keys()]);
  return [...names].filter((name) => before.get(name) !== after.get(name)).sort();
}

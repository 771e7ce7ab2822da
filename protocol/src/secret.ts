const REDACTED = '[redacted]';

/**
 * Wraps key material so that it cannot be printed by accident: in logs, JSON, template strings and the
 * inspector it shows as `[redacted]`. `reveal()` is the one way in, and easy to search for.
 */
export class Secret<T> {
  readonly #value: T;

  constructor(value: T) {
    this.#value = value;
  }

  reveal(): T {
    return this.#value;
  }

  toString(): string {
    return REDACTED;
  }

  toJSON(): string {
    return REDACTED;
  }

  [Symbol.for('nodejs.util.inspect.custom')](): string {
    return REDACTED;
  }
}

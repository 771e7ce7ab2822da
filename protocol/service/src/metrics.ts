import { Counter, Gauge, Histogram, Registry, collectDefaultMetrics } from 'prom-client';

/** Each label with every value that it can have: a series for anything else cannot come to be. */
export type Labels = Readonly<Record<string, readonly string[]>>;
type Values<L extends Labels> = { readonly [N in keyof L]: L[N][number] };

/** Counts up. */
export interface Count<L extends Labels> {
  add(labels: Values<L>): void;
}

/** Times, in seconds. */
export interface Times<L extends Labels> {
  add(labels: Values<L>, seconds: number): void;
}

/** What a gauge reads when somebody asks; a value without a number is left out. */
export type Reading<L extends Labels> = readonly (readonly [Values<L>, number | undefined])[];

/** Coarse on purpose: an administrator sees that something is slow, and nobody one lookup. */
const SECONDS = [0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60];
/** So is the sum of the times: each counts as whole twentieths of a second. */
const PER_SECOND = 20;
/** More series than this in one metric is a list that was not closed after all. */
const MAX_SERIES = 500;

/** The metrics of a service. Names begin with `hitmachine_`; every label's values are a closed list. */
export class Metrics {
  readonly #registry = new Registry();

  /** With those of the process: memory, processor time, open files. */
  constructor() {
    collectDefaultMetrics({ register: this.#registry, prefix: 'hitmachine_' });
  }

  counter<const L extends Labels>(name: string, help: string, labels: L): Count<L> {
    const metric = new Counter({ ...this.#options(name, help, labels), labelNames: Object.keys(labels) });
    // From the start, so that the first one counts too.
    for (const values of combinations(labels)) metric.inc(values, 0);
    return {
      add: (values) => {
        if (isListed(labels, values)) metric.inc(values);
      },
    };
  }

  histogram<const L extends Labels>(name: string, help: string, labels: L): Times<L> {
    const metric = new Histogram({
      ...this.#options(name, help, labels),
      labelNames: Object.keys(labels),
      buckets: SECONDS,
    });
    return {
      add: (values, seconds) => {
        if (isListed(labels, values)) metric.observe(values, Math.ceil(seconds * PER_SECOND) / PER_SECOND);
      },
    };
  }

  /** Read anew whenever somebody asks. */
  gauge<const L extends Labels>(
    name: string,
    help: string,
    labels: L,
    read: () => Reading<L> | Promise<Reading<L>>,
  ): void {
    new Gauge({
      ...this.#options(name, help, labels),
      labelNames: Object.keys(labels),
      async collect() {
        this.reset();
        for (const [values, number] of await read())
          if (number !== undefined && isListed(labels, values)) this.set(values, number);
      },
    });
  }

  get contentType(): string {
    return this.#registry.contentType;
  }

  /** All of them, in the text format of Prometheus. */
  async text(): Promise<string> {
    // A lag that nothing is known of yet is no number, which the library spells in its own way.
    return (await this.#registry.metrics()).replaceAll(/ Nan$/gm, ' NaN');
  }

  #options(
    name: string,
    help: string,
    labels: Labels,
  ): { name: string; help: string; registers: Registry[] } {
    const series = combinations(labels).length;
    if (series > MAX_SERIES) throw new RangeError(`${name} would have ${series} series`);
    return { name: `hitmachine_${name}`, help, registers: [this.#registry] };
  }
}

/** Whether every value is one of its label's, and none is missing. */
function isListed(labels: Labels, values: Readonly<Record<string, string>>): boolean {
  return Object.entries(labels).every(([name, listed]) => listed.includes(values[name] ?? ''));
}

function combinations(labels: Labels): Record<string, string>[] {
  return Object.entries(labels).reduce<Record<string, string>[]>(
    (made, [name, values]) => made.flatMap((one) => values.map((value) => ({ ...one, [name]: value }))),
    [{}],
  );
}

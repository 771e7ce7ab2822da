import { setTimeout as delay } from 'node:timers/promises';
import type { Asker } from './asker.ts';
import type { Gateways } from './gateways.ts';
import { QUOTA } from './gateways.ts';

/** What a run showed. */
export interface Result {
  readonly what: string;
  readonly requests: number;
  readonly seconds: number;
  /** Persons that were let through: by what the askers got, and by what stands in the log. */
  readonly answered: number;
  readonly logged: number;
  /** What the run has to show: exactly this many in the log, or at most. */
  readonly expected: { readonly exactly: number } | { readonly atMost: number };
  /** Refusals by rule or code, and `lost` where no answer came. */
  readonly refusals: ReadonlyMap<string, number>;
}

/** Whether a run shows what it has to. Nobody may have got an answer that is not in the log. */
export function holds({ answered, logged, expected }: Result): boolean {
  if (answered > logged) return false;
  return 'exactly' in expected
    ? logged === expected.exactly && answered === expected.exactly
    : logged <= expected.atMost;
}

export const IN_FLIGHT = 48;

/** Sizes of lookups, one after the other. */
export const ONES = [1];
export const MIXED = [1, 4, 4, 1, 4];

interface Asking {
  readonly what: string;
  readonly asker: Asker;
  /** The agency whose register is asked. */
  readonly other: string;
  readonly requests: number;
  readonly sizes?: readonly number[];
  readonly expected: Result['expected'];
  /** Called before every request, with the persons that were let through so far. */
  readonly before?: (sent: number, answered: number) => void;
}

/** Puts requests to all gateways at once, one after the other in turn, and counts what they let through. */
export async function ask(gateways: Gateways, asking: Asking): Promise<Result> {
  const { what, asker, other, requests, sizes = ONES, expected, before = () => undefined } = asking;
  const began = performance.now();
  const refusals = new Map<string, number>();
  let [sent, answered] = [0, 0];
  const worker = async (): Promise<void> => {
    while (sent < requests) {
      const place = sent++;
      before(place, answered);
      const persons = sizes[place % sizes.length] as number;
      const url = gateways.urls[place % gateways.urls.length] as string;
      const { status, word } = await asker.lookup(url, other, persons);
      if (status === 200) answered += persons;
      else refusals.set(word, (refusals.get(word) ?? 0) + 1);
    }
  };
  await Promise.all(Array.from({ length: IN_FLIGHT }, worker));
  const seconds = (performance.now() - began) / 1_000;
  const logged = (await gateways.logged()).persons.get(asker.id) ?? 0;
  return { what, requests, seconds, answered, logged, expected, refusals };
}

/** How many requests each run makes. */
export interface Sizes {
  readonly many: number;
  readonly some: number;
}

/** Three replicas that share PostgreSQL and Redis, one of which is killed in between. */
export async function replicatedRuns(
  gateways: Gateways,
  { many, some }: Sizes,
  tell: (result: Result) => void,
): Promise<void> {
  const [other, one, two, three, four] = (await gateways.askers(
    'gevraagde',
    'een',
    'twee',
    'drie',
    'vier',
  )) as [Asker, Asker, Asker, Asker, Asker];
  const killing = new Set<Promise<void>>();
  const kill = (place: number): void => void killing.add(gateways.kill(place));
  const again = async (place: number): Promise<void> => {
    await Promise.all(killing);
    await gateways.serve(place);
  };
  tell(
    await ask(gateways, {
      what: 'three replicas, one killed halfway',
      asker: one,
      other: other.id,
      requests: many,
      expected: { exactly: QUOTA },
      before: (sent) => sent === Math.floor(many / 2) && kill(1),
    }),
  );
  await again(1);
  tell(
    await ask(gateways, {
      what: 'three replicas, lookups of 1 and 4',
      asker: two,
      other: other.id,
      requests: some,
      sizes: MIXED,
      expected: { atMost: QUOTA },
    }),
  );
  let killed = false;
  tell(
    await ask(gateways, {
      what: 'one killed while the quota is used',
      asker: three,
      other: other.id,
      requests: some,
      expected: { atMost: QUOTA },
      before(_, answered) {
        if (killed || answered < QUOTA / 3) return;
        killed = true;
        kill(2);
      },
    }),
  );
  await again(2);
  await withoutRedis(gateways, { asker: four, other: other.id, requests: some }, tell);
  for (const asker of [other, one, two, three, four]) asker.close();
}

/** Nothing is let through while Redis is away; one that lost its data counts the running windows anew. */
async function withoutRedis(
  gateways: Gateways,
  asking: Pick<Asking, 'asker' | 'other' | 'requests'>,
  tell: (result: Result) => void,
): Promise<void> {
  await gateways.redis?.stop();
  tell(await ask(gateways, { ...asking, what: 'while Redis is away', expected: { exactly: 0 } }));
  await gateways.redis?.start();
  // The gateways find it again by themselves.
  for (const url of gateways.urls)
    while ((await fetch(new URL('/readyz', url))).status !== 200) await delay(50);
  tell(await ask(gateways, { ...asking, what: 'once it is back, and empty', expected: { exactly: QUOTA } }));
}

/** The default: one gateway with SQLite. */
export async function embeddedRuns(
  gateways: Gateways,
  { many, some }: Sizes,
  tell: (result: Result) => void,
): Promise<void> {
  const [other, one, two] = (await gateways.askers('gevraagde', 'een', 'twee')) as [Asker, Asker, Asker];
  tell(
    await ask(gateways, {
      what: 'one gateway with SQLite',
      asker: one,
      other: other.id,
      requests: many,
      expected: { exactly: QUOTA },
    }),
  );
  tell(
    await ask(gateways, {
      what: 'one gateway, lookups of 1 and 4',
      asker: two,
      other: other.id,
      requests: some,
      sizes: MIXED,
      expected: { atMost: QUOTA },
    }),
  );
  for (const asker of [other, one, two]) asker.close();
}

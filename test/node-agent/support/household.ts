import { beginLookup } from '../../../node-agent/src/domain/asking/lookup.ts';
import { lookupInputSchema } from '../../../node-agent/src/domain/asking/lookup-input.ts';
import type { TestNode } from './node.ts';
import { wordOf } from './node.ts';

/** What a question came to, per person. */
export interface Answered {
  readonly lookupIds: readonly string[];
  readonly persons: readonly {
    readonly lookupId: string | undefined;
    /** By register. */
    readonly outcomes: Readonly<Record<string, string>>;
    readonly notAsked: Readonly<Record<string, string>>;
  }[];
}

interface Person {
  lookupId: string | undefined;
  readonly outcomes: Record<string, string>;
  readonly notAsked: Readonly<Record<string, string>>;
}

/** Asks a whole question, with what it says of registers that were not asked. */
export async function askAll(
  asker: TestNode,
  persons: readonly object[],
  question: object,
): Promise<Answered> {
  const lookup = await beginLookup(
    asker.service,
    lookupInputSchema.parse({ caseReference: 'ZVH-1', professional: 'j.jansen', persons, ...question }),
  );
  const lookupIds: string[] = [];
  const answered = lookup.notAsked.map((notAsked): Person => ({
    lookupId: undefined,
    outcomes: {},
    notAsked: Object.fromEntries(notAsked.map(({ register, reason }) => [register.name, reason])),
  }));
  for await (const event of lookup.events) {
    if (event.type === 'opened') {
      lookupIds.push(event.lookupId);
      for (const place of event.persons) answered[place]!.lookupId = event.lookupId;
    } else
      event.persons.forEach((place, i) => {
        answered[place]!.outcomes[event.register.name] = wordOf(event.outcomes[i]);
      });
  }
  return { lookupIds, persons: answered };
}

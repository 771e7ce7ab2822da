import type { PersonDescription } from '@hitmachine/protocol';

/** A row of the source: a client as the source holds him or her, or why there is none in it. */
export type ClientRow =
  | {
      /** Line of the file on which the row begins, counted from 1. */
      readonly line: number;
      readonly client: PersonDescription;
    }
  | { readonly line: number; readonly problem: string };

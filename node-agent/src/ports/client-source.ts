import type { PersonDescription } from '@hitmachine/protocol';

/** A client as the source holds him or her. */
export interface ClientRow {
  /** Line of the file on which the row begins, counted from 1. */
  readonly line: number;
  readonly client: PersonDescription;
}

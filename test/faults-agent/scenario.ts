import type { Setting } from './setting.ts';
import type { World } from './world.ts';

/** One fault, made for real, with what is to be seen while it lasts. */
export interface Scenario {
  /** What goes wrong, in a few words. */
  readonly fault: string;
  /** As it comes, unless told. */
  readonly on?: Setting;
  /** Why it cannot be made on this machine; undefined when it can. */
  readonly missing?: string | undefined;
  /**
   * Makes the fault, looks at the agency while it lasts, takes its cause away, and nothing more: that the agency
   * recovers without hands, and that nothing was lost, is looked at afterwards for every fault alike. Resolves with what
   * was seen, for a line of the table. Throws when something else was seen than should be.
   */
  readonly run: (world: World) => Promise<string>;
}

/** What an agent or a command said, short enough for the table and without the folders of this machine. */
export const shortened = (text: string): string => text.replaceAll(/\/[^\s:]*\//g, '…/').slice(0, 180);

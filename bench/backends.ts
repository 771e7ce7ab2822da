import { createSuite, loadSodium } from '@hitmachine/protocol';

export const sodium = await loadSodium();
/** What the services run on. */
export const suite = createSuite('voprf', sodium);

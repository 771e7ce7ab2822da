import { createSuite, loadSodium } from '@hitmachine/protocol';
import { withRuntimeAead } from '../node-agent/src/aead.ts';

export const sodium = await loadSodium();
/** What the services run on. */
export const suite = createSuite('voprf', withRuntimeAead(sodium));

import { createSuite, loadSodium } from '@hitmachine/protocol';
import { onRuntime } from '../node-agent/src/runtime-backend.ts';

export const sodium = await loadSodium();
/** What the services run on. */
export const suite = createSuite('voprf', onRuntime(sodium));

import { readFileSync } from 'node:fs';
import { utf8ToBytes } from '@hitmachine/protocol';

/** How many registers leave the list of those that are waited for one by one; beyond, all go at the end. */
const MAX_WAITING = 200;

/** Files of the desk's own that browsers load, beside those that all pages have. */
export const deskFiles = (): Readonly<Record<string, Uint8Array>> => ({
  'desk.css': readFileSync(new URL('desk.css', import.meta.url)),
  'waiting.css': utf8ToBytes(waitingRules()),
  'desk.js': readFileSync(new URL('desk.js', import.meta.url)),
});

/** A register leaves the list of those that are waited for when its row is there: without a script, by a rule each. */
function waitingRules(): string {
  return Array.from(
    { length: MAX_WAITING },
    (_, i) => `.hit-answers:has([data-answered="${i}"]) [data-waiting="${i}"]{display:none}`,
  ).join('\n');
}

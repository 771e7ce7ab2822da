import { writeFileSync } from 'node:fs';
import { eventTable } from '@hitmachine/service';
import { AGENT_EVENTS } from '../../node-agent/src/events.ts';
import { GATEWAY_EVENTS } from '../../gateway/src/events.ts';

/** `npm run events`: writes deploy/events.md anew from what the programs may log. */
const lines = [
  '# Events in the operational logs',
  '',
  'Made by `npm run events` from `node-agent/src/events.ts` and `gateway/src/events.ts`. What is not in these tables, the programs do not write: not an event, and not a field. Where and how to read: [the operator’s guide](operators-guide.md#logs).',
  '',
  '## Events of an agent',
  '',
  ...eventTable(AGENT_EVENTS),
  '',
  '## Events of a gateway',
  '',
  ...eventTable(GATEWAY_EVENTS),
  '',
];
writeFileSync(new URL('../../deploy/events.md', import.meta.url), lines.join('\n'));

import { readFileSync } from 'node:fs';
import type { Events } from '@hitmachine/service';
import { eventTable, writeEvent } from '@hitmachine/service';
import { describe, expect, it } from 'vitest';
import { AGENT_EVENTS } from '../../node-agent/src/events.ts';
import { operationalLog as agentLog } from '../../node-agent/src/adapters/operational-log.ts';
import { GATEWAY_EVENTS } from '../../gateway/src/events.ts';
import { operationalLog as gatewayLog } from '../../gateway/src/log.ts';

type Written = Record<string, unknown>;

/** Where lines end up, with their level. */
function sink() {
  const lines: Written[] = [];
  const at = (level: string) => (line: object) => void lines.push({ level, ...line });
  return { lines, debug: at('debug'), info: at('info'), warn: at('warn'), error: at('error') };
}

const EVENTS = {
  door: { at: ['info', 'warn'], fields: { name: 'text', count: 'number', err: 'error' }, says: 'A door.' },
} as const satisfies Events;

describe('the registry of events', () => {
  it('lets an event through with the fields that it has', () => {
    const to = sink();
    writeEvent(EVENTS, to, 'info', 'door', { name: 'front', count: 2, err: new Error('x') });
    writeEvent(EVENTS, to, 'warn', 'door', { name: undefined });
    expect(to.lines).toEqual([
      { level: 'info', event: 'door', name: 'front', count: 2, err: new Error('x') },
      { level: 'warn', event: 'door', name: undefined },
    ]);
  });

  it.each([
    ['an event that nobody described', 'window', 'info', {}],
    ['a name that every object has', 'constructor', 'info', {}],
    ['a field that nobody described', 'door', 'info', { person: 'Jansen' }],
    ['a field of another kind', 'door', 'info', { count: 'Jansen' }],
    ['another level', 'door', 'error', { name: 'Jansen' }],
  ] as const)('refuses %s, and tells nothing of what it held', (_, event, level, fields) => {
    const to = sink();
    writeEvent(EVENTS, to, level, event, fields);
    expect(to.lines).toHaveLength(1);
    expect(to.lines[0]).toMatchObject({ level: 'error', event: 'log-line-refused' });
    expect(JSON.stringify(to.lines)).not.toContain('Jansen');
    expect(JSON.stringify(to.lines)).not.toContain('window');
  });

  it('cuts off texts that nobody wrote for a log', () => {
    const to = sink();
    writeEvent(EVENTS, to, 'info', 'door', { name: 'x'.repeat(5_000) });
    expect(String(to.lines[0]!['name']).length).toBeLessThan(2_100);
  });

  it('is a type error to leave, at both services', () => {
    const agent = agentLog(sink());
    const gateway = gatewayLog(sink());
    // @ts-expect-error: no such event
    agent.info({ event: 'nonsense' });
    // @ts-expect-error: no such field
    agent.info({ event: 'listening', bsn: '999990019' });
    // @ts-expect-error: a number where a text is described
    agent.info({ event: 'listening', url: 7 });
    // @ts-expect-error: not at this level
    agent.error({ event: 'listening', url: '' });
    // @ts-expect-error: no such event
    gateway.info('nonsense');
    // @ts-expect-error: no such field
    gateway.info('listening', { bsn: '999990019' });
    // @ts-expect-error: not at this level
    gateway.warn('listening', { url: '' });
  });

  it('stands in the guide as it is', () => {
    const guide = readFileSync(new URL('../../deploy/events.md', import.meta.url), 'utf8');
    const plain = (lines: readonly string[]): string[] =>
      lines
        .filter((line) => line.startsWith('|'))
        .map((line) => line.replace(/ {2,}/g, ' ').replace(/-{3,}/g, '-'));
    const [agent = '', gateway = ''] = guide.split('## Events of a gateway');
    expect(plain(agent.split('\n'))).toEqual(plain(eventTable(AGENT_EVENTS)));
    expect(plain(gateway.split('\n'))).toEqual(plain(eventTable(GATEWAY_EVENTS)));
  });
});

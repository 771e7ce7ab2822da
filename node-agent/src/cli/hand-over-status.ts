import { HitError } from '@hitmachine/protocol';
import { fileOf } from '@hitmachine/service';
import { handedOverLast } from '../adapters/sqlite/handed-over-content.ts';
import type { HandOverConfig } from '../hand-over-config.ts';
import { handOverFile, readHandOverConfig } from '../hand-over-config.ts';
import { readHandOverKey } from '../open-hand-overs.ts';
import { openServingAgent } from '../open-serving-agent.ts';
import type { ServedContent } from '../ports/serving-agent.ts';
import { table } from './print.ts';
import type { Terminal } from './print.ts';

/** How a register stands with what this machine handed over last; times in milliseconds since 1970. */
interface HandedOver {
  /** `same`: the agent holds that; `other`: it holds something else, and the next hand-over sends everything. */
  readonly state: 'same' | 'other' | 'never' | 'not-told';
  readonly last: number | undefined;
}

/** `base`: when what the agent holds was imported; null for nothing, undefined where it did not say. */
export function handOverOf(
  directory: string,
  { cache }: HandOverConfig,
  register: string,
  base: number | null | undefined,
): HandedOver {
  const last = handedOverLast(fileOf(directory, cache), register);
  if (base === undefined) return { state: 'not-told', last };
  if (last === undefined) return { state: base === null ? 'never' : 'other', last };
  return { state: last === base ? 'same' : 'other', last };
}

const WORDS: Readonly<Record<HandedOver['state'], string>> = {
  same: 'what was handed over last',
  other: 'other content: the next hand-over sends everything',
  never: 'nothing',
  'not-told': 'NOT TOLD',
};

const iso = (at: number | null | undefined): string | undefined =>
  at === undefined || at === null ? undefined : new Date(at).toISOString();

/**
 * `hit-agent status` on a machine that hands registers over: when each was handed over last, and whether the agent still
 * holds that. Resolves with whether the agent told so of all of them.
 */
export async function handOverStatus(
  directory: string,
  { json }: { readonly json: boolean },
  terminal: Terminal,
): Promise<boolean> {
  const config = readHandOverConfig(handOverFile(directory));
  const key = readHandOverKey(fileOf(directory, config.keyFile));
  const serving = openServingAgent(directory, config, key);
  try {
    const problems: string[] = [];
    const registers = [];
    for (const { id } of config.registers) {
      let content: ServedContent | undefined;
      try {
        content = await serving.agent.content(id);
      } catch (error) {
        if (!(error instanceof HitError)) throw error;
        problems.push(`${id}: ${error.detail} (${error.code})`);
      }
      const { state, last } = handOverOf(directory, config, id, content?.base);
      registers.push({
        id,
        handedOver: iso(last),
        agentHolds: state,
        importedAt: iso(content?.base),
        clients: content?.clients,
      });
    }
    terminal.out(
      json
        ? JSON.stringify({ agent: config.agent, registers, problems }, undefined, 2)
        : [
            `this machine hands registers over to the agent at ${config.agent}`,
            '',
            table([
              ['REGISTER', 'HANDED OVER', 'CLIENTS THERE', 'THE AGENT HOLDS'],
              ...registers.map(({ id, handedOver = 'never', clients, agentHolds }) => [
                id,
                handedOver,
                clients === undefined ? '-' : String(clients),
                WORDS[agentHolds],
              ]),
            ]),
            ...(problems.length === 0 ? ['', 'No problems.'] : ['', ...problems.map((line) => `! ${line}`)]),
          ].join('\n'),
    );
    return problems.length === 0;
  } finally {
    await serving.close();
  }
}

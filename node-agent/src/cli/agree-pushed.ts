import { HitError } from '@hitmachine/protocol';
import type { OpenedAgent } from '../open-agent.ts';
import { openPushedClients } from '../open-sources.ts';
import type { Terminal } from './print.ts';
import { counted } from './print.ts';

/**
 * `hit-agent import --register R --allow-shrink` for a register that is pushed to: the operator says that what was pushed
 * is to replace what the register holds now, whoever would be gone. The agent does it with its next try; what the register
 * holds later is not meant. Throws `import-invalid` when nothing was pushed.
 */
export async function agreePushed(
  agent: OpenedAgent,
  register: string,
  isJson: boolean,
  terminal: Terminal,
): Promise<void> {
  const held = (await agent.pseudonyms.imports()).find((state) => state.register === register);
  const clients = openPushedClients(agent.directory.path, agent.shared);
  try {
    const pushed = await clients.count(register);
    // Whoever has taken all clients out by name means it.
    if ((await clients.version(register)) === 0)
      throw new HitError(
        'import-invalid',
        `nothing was pushed to ${register} yet, so nothing was changed: push all clients first`,
      );
    if (held !== undefined) await clients.agree(register, held.importedAt);
    terminal.out(
      isJson
        ? JSON.stringify({ register, held: held?.clients ?? 0, pushed })
        : `${register} holds ${counted(held?.clients ?? 0, 'client')}; ${counted(pushed, 'client')} that ${pushed === 1 ? 'was' : 'were'} pushed (also those who have ended or are protected) will take their place within a minute, or when the agent starts.`,
    );
  } finally {
    clients.close();
  }
}

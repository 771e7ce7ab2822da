import { openAgent } from '../open-agent.ts';
import type { Terminal } from './print.ts';

/**
 * `hit-agent answering off | on`: stops all answering at once, or lets it go on. A running agent looks at it for every
 * question, and a new one begins with it.
 */
export async function answering(
  path: string,
  turn: 'off' | 'on',
  reason: string | undefined,
  terminal: Terminal,
): Promise<void> {
  const agent = await openAgent(path);
  try {
    const before = await agent.state.stoppedAnswering();
    if (turn === 'on') {
      await agent.state.setStoppedAnswering(undefined);
      terminal.out(
        before === undefined
          ? 'This agency was answering already.'
          : 'This agency answers again, as its policy.yaml says.',
      );
      return;
    }
    await agent.state.setStoppedAnswering({
      since: before?.since ?? Date.now(),
      ...(reason !== undefined && { reason }),
    });
    terminal.out(
      'This agency answers nothing from now on, also after a restart. To go on: hit-agent answering on',
    );
  } finally {
    await agent.database.close();
  }
}

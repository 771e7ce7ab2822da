import { runProgram } from './cli/program.ts';
import { useCredentials, useOverrides } from '@hitmachine/service';

/** Takes over the signals that ask a program to stop; a second one stops it at once. */
function stopSignal(): AbortSignal {
  const stop = new AbortController();
  for (const signal of ['SIGTERM', 'SIGINT'] as const) process.once(signal, () => stop.abort());
  return stop.signal;
}

useCredentials(process.env['CREDENTIALS_DIRECTORY']);
useOverrides(process.env);

process.exitCode = await runProgram(process.argv.slice(2), {
  terminal: {
    out: (text) => process.stdout.write(`${text}\n`),
    err: (text) => process.stderr.write(text.startsWith('\r') || text.endsWith('\n') ? text : `${text}\n`),
    interactive: process.stderr.isTTY,
  },
  defaultDirectory: process.env['HIT_AGENT_DIR'] ?? './hit-agent',
  reload(asked) {
    process.on('SIGHUP', asked);
    return () => process.off('SIGHUP', asked);
  },
  get stopped() {
    return stopSignal();
  },
});

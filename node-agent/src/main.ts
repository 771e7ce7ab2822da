import { runProgram } from './cli/program.ts';
import { useCredentials, useOverrides } from '@hitmachine/service';
import { useProxyEnvironment } from './proxy-environment.ts';
import { stepBack } from './step-back.ts';

/** Takes over the signals that ask a program to stop; a second one stops it at once. */
function stopSignal(): AbortSignal {
  const stop = new AbortController();
  for (const signal of ['SIGTERM', 'SIGINT'] as const) process.once(signal, () => stop.abort());
  return stop.signal;
}

useCredentials(process.env['CREDENTIALS_DIRECTORY']);
useOverrides(process.env);
const { env } = process;
useProxyEnvironment({
  https: env['https_proxy'] ?? env['HTTPS_PROXY'],
  http: env['http_proxy'] ?? env['HTTP_PROXY'],
  no: env['no_proxy'] ?? env['NO_PROXY'],
});

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
  stepBack,
  get interrupted() {
    return stopSignal();
  },
});

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';

export const PROGRAM = fileURLToPath(new URL('../../../gateway/bin/hit-gateway.mjs', import.meta.url));
export const NODE_OPTIONS = ['--disable-warning=ExperimentalWarning'];

/** Runs `hit-gateway` to its end, as an administrator would. */
export async function runProgram(
  argv: readonly string[],
  environment: Record<string, string> = {},
  input = '',
): Promise<{ code: number; stdout: string; stderr: string }> {
  const program = spawn(process.execPath, [...NODE_OPTIONS, PROGRAM, ...argv], {
    stdio: ['pipe', 'pipe', 'pipe'],
    env: { ...process.env, ...environment },
  });
  program.stdin.end(input);
  const exit = once(program, 'exit');
  const [stdout, stderr] = await Promise.all([text(program.stdout), text(program.stderr)]);
  const [code] = (await exit) as [number];
  return { code, stdout, stderr };
}

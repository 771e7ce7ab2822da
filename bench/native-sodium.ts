import { execFileSync, spawn } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { Subject } from './rounds.ts';

/** For each number on a line: so many multiplications, and the microseconds of processor time that each took. */
const SOURCE = `
#include <sodium.h>
#include <stdio.h>
#include <time.h>
enum { INPUTS = 64 };
static double seconds(void) {
  struct timespec now;
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
  return now.tv_sec + now.tv_nsec / 1e9;
}
int main(void) {
  unsigned char k[INPUTS][32], p[INPUTS][32], q[32];
  if (sodium_init() < 0) return 1;
  for (int i = 0; i < INPUTS; i++) {
    crypto_core_ristretto255_scalar_random(k[i]);
    crypto_core_ristretto255_random(p[i]);
  }
  long times;
  while (scanf("%ld", &times) == 1) {
    double since = seconds();
    for (long i = 0; i < times; i++)
      if (crypto_scalarmult_ristretto255(q, k[i % INPUTS], p[i % INPUTS]) != 0) return 2;
    printf("%.6f\\n", (seconds() - since) * 1e6 / times);
    fflush(stdout);
  }
  return 0;
}
`;

export interface NativeSodium {
  readonly subject: Subject;
  close(): void;
}

/** Bare native libsodium in a process of its own, compiled here; the reason where that cannot be had. */
export function nativeSodium(): NativeSodium | string {
  const folder = mkdtempSync(join(tmpdir(), 'hitmachine-native-'));
  const [source, program] = [join(folder, 'multiply.c'), join(folder, 'multiply')];
  writeFileSync(source, SOURCE);
  try {
    execFileSync('cc', ['-O2', '-o', program, source, '-lsodium'], { stdio: 'pipe' });
  } catch (error) {
    rmSync(folder, { recursive: true });
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return 'there is no C compiler (cc)';
    return existsSync('/usr/include/sodium.h')
      ? 'the C program does not compile'
      : 'libsodium-dev is not installed';
  }
  const child = spawn(program, { stdio: ['pipe', 'pipe', 'inherit'] });
  const lines = createInterface(child.stdout)[Symbol.asyncIterator]();
  return {
    subject: {
      name: 'libsodium, native',
      async cost(times) {
        child.stdin.write(`${times}\n`);
        const { value, done } = await lines.next();
        if (done === true) throw new Error('the native program ended');
        return Number(value);
      },
    },
    close() {
      child.stdin.end();
      rmSync(folder, { recursive: true });
    },
  };
}

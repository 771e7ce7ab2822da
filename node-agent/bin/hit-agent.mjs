#!/usr/bin/env -S MALLOC_ARENA_MAX=1 node --disable-warning=ExperimentalWarning --max-semi-space-size=1 --single-threaded-gc
import { begin } from '@hitmachine/service/begin';

// All threads share one arena of the C library: each would keep one of its own, 25 to 40 MB that are never given back.
// Answers are large, outside the heap, and gone in a moment: collected often and on the spot they cost little, while
// left to the background threads they cost up to a quarter of all processor time.

begin('hit-agent');
const { useCompiled } = await import('./compiled.mjs');
useCompiled(process.argv, process.env);
await import('../src/main.ts');

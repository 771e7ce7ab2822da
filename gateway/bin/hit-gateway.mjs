#!/usr/bin/env -S node --disable-warning=ExperimentalWarning
import { setFlagsFromString } from 'node:v8';
import { begin } from '@hitmachine/service/begin';

begin('hit-gateway');
// Between full collections the heap may double. Left to itself it grows by some megabytes only where little is going on,
// and the collections, about one a second and in the background, took a fifth of all processor time. Set here, because not
// every way of starting the program can pass flags on.
setFlagsFromString('--heap-growing-percent=100');
await import('../src/main.ts');

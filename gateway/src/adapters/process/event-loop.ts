import { monitorEventLoopDelay } from 'node:perf_hooks';

const RESOLUTION_MS = 20;
const EVERY_MS = 1_000;
/** Of fewer samples nothing can be told: a pause of its own, such as a start, is no load. */
const ENOUGH = 3;

/** How late this process is with what it has to do. */
export interface EventLoopWatch {
  /** Milliseconds by which half of what happened in the last second or two was late. */
  readonly lateMs: () => number;
  close(): void;
}

/** Watches the event loop: a process that has too much to do is late with everything. */
export function watchEventLoop(): EventLoopWatch {
  const delays = monitorEventLoopDelay({ resolution: RESOLUTION_MS });
  delays.enable();
  let late = 0;
  const timer = setInterval(() => {
    late = delays.count < ENOUGH ? 0 : Math.max(0, delays.percentile(50) / 1e6 - RESOLUTION_MS);
    delays.reset();
  }, EVERY_MS);
  timer.unref();
  return {
    lateMs: () => late,
    close() {
      clearInterval(timer);
      delays.disable();
    },
  };
}

// Preloaded into a program that is measured: writes what it took, all of its threads, into its last line of errors.
import { isMainThread } from 'node:worker_threads';

if (isMainThread)
  process.once('exit', () => {
    const { userCPUTime, systemCPUTime, maxRSS } = process.resourceUsage();
    process.stderr.write(
      `\n${JSON.stringify({ processorUs: userCPUTime + systemCPUTime, peakKb: maxRSS })}\n`,
    );
  });

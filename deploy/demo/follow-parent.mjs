// Preloaded into every program that the demo starts: ends it when the demo is gone, even when the demo was killed
// so hard that it could not say goodbye. Programs in production are started by systemd or Kubernetes instead.
import { isMainThread } from 'node:worker_threads';

if (isMainThread && process.channel) {
  process.once('disconnect', () => {
    process.kill(process.pid, 'SIGTERM');
    setTimeout(() => process.kill(process.pid, 'SIGKILL'), 5_000).unref();
  });
  // The listener alone would keep a program alive that has nothing left to do.
  process.channel.unref();
}

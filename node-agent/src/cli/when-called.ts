/**
 * The commands, each of which is loaded when it is called: together they take 40 MB, and one that serves has no use for what
 * imports, nor the other way round.
 */
const whenCalled =
  <Arguments extends unknown[], Result>(load: () => Promise<(...args: Arguments) => Result>) =>
  async (...args: Arguments): Promise<Awaited<Result>> =>
    await (
      await load()
    )(...args);

export const answering = whenCalled(async () => (await import('./answering.ts')).answering);
export const batch = whenCalled(async () => (await import('./batch.ts')).batch);
export const doctor = whenCalled(async () => (await import('./doctor/doctor.ts')).doctor);
export const enrol = whenCalled(async () => (await import('./enrol.ts')).enrol);
export const handOver = whenCalled(async () => (await import('./hand-over.ts')).handOver);
export const importFile = whenCalled(async () => (await import('./import.ts')).importFile);
export const init = whenCalled(async () => (await import('./init.ts')).init);
export const log = whenCalled(async () => (await import('./log.ts')).log);
export const logAlarms = whenCalled(async () => (await import('./log-alarms.ts')).logAlarms);
export const logExport = whenCalled(async () => (await import('./log-export.ts')).logExport);
export const logVerify = whenCalled(async () => (await import('./log-verify.ts')).logVerify);
export const lookup = whenCalled(async () => (await import('./lookup.ts')).lookup);
export const receipt = whenCalled(async () => (await import('./receipt.ts')).receipt);
export const reviewLookups = whenCalled(async () => (await import('./review.ts')).reviewLookups);
export const serveAgent = whenCalled(async () => (await import('./serve.ts')).serveAgent);
export const showPolicy = whenCalled(async () => (await import('./policy.ts')).showPolicy);
export const status = whenCalled(async () => (await import('./status.ts')).status);
export const trust = whenCalled(async () => (await import('./trust.ts')).trust);
export const trustLog = whenCalled(async () => (await import('./trust-log.ts')).trustLog);
export const trustOffline = whenCalled(async () => (await import('./trust-offline.ts')).trustOffline);
export const validatePolicy = whenCalled(async () => (await import('./policy.ts')).validatePolicy);
export const verifyReceipts = whenCalled(async () => (await import('./receipt.ts')).verifyReceipts);

import { mkdirSync, rmSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

/** Where the pages of the last run are left, as they were when they were inspected. */
export const SCREENSHOTS = fileURLToPath(new URL('../screenshots', import.meta.url));

/** Once for a run, before its first file. */
export default function emptyScreenshots(): void {
  rmSync(SCREENSHOTS, { recursive: true, force: true });
  mkdirSync(SCREENSHOTS, { recursive: true });
  console.log(`screenshots: ${SCREENSHOTS}`);
}

// A clock that is wrong by as much as a file says, for one process: the clock of the machine is everybody's.
import { readFileSync } from 'node:fs';

const real = Date.now;
const file = process.env.MOVED_CLOCK_FILE;
let moved = 0;
let readAt = -Infinity;
Date.now = () => {
  const now = real();
  if (file !== undefined && Math.abs(now - readAt) > 200) {
    readAt = now;
    try {
      moved = Number(readFileSync(file, 'utf8')) || 0;
    } catch {
      moved = 0;
    }
  }
  return now + moved;
};

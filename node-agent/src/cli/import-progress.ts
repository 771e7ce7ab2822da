import type { Terminal } from './print.ts';

/** How an import tells how far it is: a bar on a screen and a line now and then elsewhere, JSON lines, or nothing. */
export type ProgressForm = 'auto' | 'json' | 'none';

/** Takes how many pseudonyms of how many are made. */
export type Progress = (done: number, total: number) => void;

const BAR = 30;
/** Milliseconds between two drawings of the bar, and between two lines where it cannot be drawn. */
const DRAW_MS = 200;
const LINE_MS = 10_000;
/** Milliseconds that the rate is taken over: long enough to be steady, short enough to follow a change. */
const WINDOW_MS = 15_000;

/** `3 min 20 s`, `45 s`; minutes alone from ten on. */
export function durationText(milliseconds: number): string {
  const seconds = Math.round(milliseconds / 1_000);
  const [minutes, rest] = [Math.floor(seconds / 60), seconds % 60];
  if (minutes === 0) return `${rest} s`;
  if (minutes >= 60) return `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
  return minutes >= 10 || rest === 0 ? `${minutes} min` : `${minutes} min ${rest} s`;
}

/** How fast something goes, of late. `now` in milliseconds. */
export class Rate {
  readonly #seen: { readonly at: number; readonly done: number }[] = [];

  /** How many a second, or undefined while that cannot be told. */
  see(done: number, now: number): number | undefined {
    this.#seen.push({ at: now, done });
    while (this.#seen.length > 2 && now - (this.#seen[1]?.at ?? now) >= WINDOW_MS) this.#seen.shift();
    const [first] = this.#seen;
    if (first === undefined || now - first.at < 1_000 || done <= first.done) return undefined;
    return ((done - first.done) * 1_000) / (now - first.at);
  }
}

/** Tells the progress of an import of `register`. `now` in milliseconds. */
export function progressTo(
  terminal: Terminal,
  form: ProgressForm,
  register: string,
  now: () => number = () => performance.now(),
): Progress {
  if (form === 'none') return () => undefined;
  if (form === 'json')
    return (done, total) => terminal.err(`${JSON.stringify({ event: 'progress', done, total })}\n`);
  const rate = new Rate();
  let told: number | undefined;
  return (done, total) => {
    const at = now();
    const perSecond = rate.see(done, at);
    const isLast = done === total;
    told ??= terminal.interactive ? undefined : at;
    if (!isLast && told !== undefined && at - told < (terminal.interactive ? DRAW_MS : LINE_MS)) return;
    // What is over within seconds needs no lines in a log.
    if (!terminal.interactive && isLast && at - (told ?? at) < LINE_MS) return;
    told = at;
    const left = perSecond === undefined ? undefined : (1_000 * (total - done)) / perSecond;
    const speed =
      perSecond === undefined || isLast || left === undefined
        ? ''
        : `, ${Math.round(perSecond)} a second, ${durationText(left)} left`;
    const count = `${done}/${total} pseudonyms${speed}`;
    if (!terminal.interactive) return terminal.err(`${register}: ${count}\n`);
    const filled = Math.round((BAR * done) / total);
    const bar = '█'.repeat(filled) + '░'.repeat(BAR - filled);
    // The rest of a longer line that stood there is wiped.
    terminal.err(`\r${register} ${bar} ${count}\u001b[K${isLast ? '\n' : ''}`);
  };
}

/** Tells that an import of `register` waits for the gateway, and why, and that it goes on. */
export function waitingTo(
  terminal: Terminal,
  form: ProgressForm,
  register: string,
  atMostMs: number,
): (reason: string | undefined) => void {
  if (form === 'none') return () => undefined;
  return (reason) => {
    if (form === 'json')
      return terminal.err(
        `${JSON.stringify({ event: reason === undefined ? 'going-on' : 'waiting', reason })}\n`,
      );
    const line =
      reason === undefined
        ? 'the gateway is there again; going on'
        : `waiting for the gateway, at most ${durationText(atMostMs)} (${reason})`;
    // Below a bar, which is drawn anew afterwards.
    terminal.err(`${terminal.interactive ? '\n' : ''}${register}: ${line}\n`);
  };
}

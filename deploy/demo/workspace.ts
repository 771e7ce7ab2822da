import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DemoError } from './processes.ts';

const MARK = 'demo.json';
/** Raise this when a folder of an older demo can no longer be used. */
const LAYOUT = 1;

/** The folder in which the demo keeps a gateway and eight agencies, one folder each. */
export class Workspace {
  readonly path: string;
  #reused = false;

  constructor(path: string) {
    this.path = path;
  }

  /** Whether everything was set up here before, as `prepare` found it. */
  get reused(): boolean {
    return this.#reused;
  }

  /** The folder of the gateway or of an agency. */
  of(id: string): string {
    return join(this.path, id);
  }

  log(id: string): string {
    return join(this.path, 'logs', `${id}.log`);
  }

  /**
   * Keeps the folder when everything was set up in it before, from the same `content`. Empties it otherwise.
   * Throws `DemoError` rather than empty a folder that is not the demo's.
   */
  prepare(content: string, fresh: boolean): void {
    const mark = join(this.path, MARK);
    const found = existsSync(mark)
      ? (JSON.parse(readFileSync(mark, 'utf8')) as { content?: unknown })
      : undefined;
    this.#reused = !fresh && found?.content === fingerprint(content);
    if (!this.#reused && existsSync(this.path)) {
      if (found === undefined && readdirSync(this.path).length > 0)
        throw new DemoError(
          `${this.path} holds something that is not the demo's; name another folder with --dir`,
        );
      rmSync(this.path, { recursive: true });
    }
    rmSync(join(this.path, 'logs'), { recursive: true, force: true });
    mkdirSync(join(this.path, 'logs'), { recursive: true, mode: 0o700 });
    // Without a content: a set-up that is broken off is started again, and the folder is still known as the demo's.
    if (!this.#reused) this.#mark({});
  }

  /** To be called when everything is set up. */
  complete(content: string): void {
    this.#mark({ content: fingerprint(content) });
  }

  #mark(value: object): void {
    writeFileSync(join(this.path, MARK), `${JSON.stringify(value)}\n`);
  }
}

function fingerprint(content: string): string {
  return createHash('sha256').update(`${LAYOUT}\n${content}`).digest('hex');
}

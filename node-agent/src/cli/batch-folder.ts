import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { HitError } from '@hitmachine/protocol';
import { z } from 'zod';
import { batchDocument } from '../../desk/batch-document.ts';
import { batchCsv } from '../../desk/batch-report.ts';
import type { BatchReport } from '../../desk/batch-summary.ts';
import type { BatchEnd, BatchProgress } from '../domain/desk/batch.ts';
import { NO_COUNTS } from '../domain/desk/batch-figures.ts';

const SAVE_EVERY_MS = 1_000;

const counts = z.strictObject({ complete: z.int().min(0), incomplete: z.int().min(0) });
const progressSchema = z.strictObject({
  purpose: z.string(),
  households: z.int(),
  next: z.int().min(0),
  counts: z.strictObject({
    households: z.int(),
    persons: z.int(),
    registers: z.record(
      z.string(),
      z.strictObject({
        asked: z.int(),
        known: z.int(),
        silent: z.int(),
        householdsAsked: z.int(),
        householdsKnown: z.int(),
      }),
    ),
    householdsBySet: z.record(z.string(), counts),
    personsBySet: z.record(z.string(), counts),
  }),
});

/** The folder of a batch: the report, and until the file is done how far it is. Nobody's name or answer is in it. */
export class BatchFolder {
  readonly #path: string;
  #about: { readonly households: number; readonly purpose: string } = { households: 0, purpose: '' };
  #savedAt = 0;

  constructor(path: string) {
    this.#path = path;
  }

  get page(): string {
    return join(this.#path, 'report.html');
  }

  get table(): string {
    return join(this.#path, 'report.csv');
  }

  get #progress(): string {
    return join(this.#path, 'progress.json');
  }

  /** Where to begin. Throws `config-invalid` for a folder that holds something else than what is asked for. */
  begin(goOn: boolean, about: { readonly households: number; readonly purpose: string }): BatchProgress {
    this.#about = about;
    mkdirSync(this.#path, { recursive: true, mode: 0o700 });
    const held = existsSync(this.#progress);
    if (!goOn) {
      if (held || existsSync(this.page))
        throw new HitError(
          'config-invalid',
          `--out: ${this.#path} holds a batch already; go on with it by --continue, or name another folder`,
        );
      return { next: 0, counts: NO_COUNTS };
    }
    if (!held)
      throw new HitError('config-invalid', `--continue: ${this.#path} holds no batch that was broken off`);
    const { success, data } = progressSchema.safeParse(readJson(this.#progress));
    if (!success)
      throw new HitError('config-invalid', `${this.#progress}: not a batch of this version; start afresh`);
    if (data.households !== about.households || data.purpose !== about.purpose)
      throw new HitError(
        'config-invalid',
        `--continue: ${this.#path} holds a batch of ${data.households} households for ${data.purpose}, and this file has ` +
          `${about.households} for ${about.purpose}; give the same file and purpose`,
      );
    return { next: data.next, counts: data.counts };
  }

  /** Once a second is enough: whoever is asked about again after a power cut is counted once. */
  save(progress: BatchProgress): void {
    if (performance.now() - this.#savedAt < SAVE_EVERY_MS) return;
    this.#savedAt = performance.now();
    this.#write(this.#progress, JSON.stringify({ ...this.#about, ...progress }));
  }

  async finish(
    report: BatchReport,
    language: 'nl' | 'en',
    end: BatchEnd,
    progress: BatchProgress,
  ): Promise<void> {
    if (end.type !== 'complete') this.#write(this.#progress, JSON.stringify({ ...this.#about, ...progress }));
    if (progress.next === 0) return;
    this.#write(this.page, await batchDocument(report, language));
    this.#write(this.table, batchCsv(report, language));
    if (end.type === 'complete') rmSync(this.#progress, { force: true });
  }

  #write(file: string, text: string): void {
    writeFileSync(`${file}.new`, text, { mode: 0o600 });
    renameSync(`${file}.new`, file);
  }
}

function readJson(file: string): unknown {
  try {
    return JSON.parse(readFileSync(file, 'utf8'));
  } catch {
    return undefined;
  }
}

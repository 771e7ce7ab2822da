import { cpSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { TreeHead } from '@hitmachine/protocol';
import {
  addCheckpoint,
  addCheckpointRequest,
  encodeBase64,
  logOrigin,
  parseCheckpoint,
  proveConsistency,
  witnessName,
} from '@hitmachine/protocol';
import { openStore } from '@hitmachine/gateway';
import { runCli } from '../../gateway/src/cli/program.ts';
import { runVerify } from '../../gateway/src/verify/program.ts';
import { backend } from '../gateway/support/fixtures.ts';
import type { RealLog } from './real-log.ts';
import { FEDERATION } from './real-log.ts';

/** What a tool said of a log: whether something is wrong with it, and which entry. */
export interface Verdict {
  readonly detected: boolean;
  /** What it named: an entry, entries, or what else is wrong. */
  readonly named: string;
}

export const DETECTORS = [
  'hit-verify',
  'earlier export',
  'receipt holder',
  'witness',
  'reconciliation',
] as const;
export type Detector = (typeof DETECTORS)[number];

const FINE: Verdict = { detected: false, named: '' };

interface JsonReport {
  readonly good: boolean;
  readonly first: {
    readonly index?: number;
    readonly range?: { readonly from: number; readonly to: number };
    readonly reason: string;
  } | null;
}

export interface JudgeOptions {
  readonly exported?: string;
  /** File of the receipt that its holder shows; unless told, that of the newest lookup. */
  readonly receipt?: string;
  /** The agency whose witness looks. */
  readonly witness?: string;
}

/** A copy of the gateway's folder, for one kind of tampering, and what can be held against it. */
export class Copy {
  readonly folder: string;
  readonly #log: RealLog;
  readonly #earlier: string;
  #exports = 0;

  constructor(log: RealLog, name: string, earlier: string) {
    this.#log = log;
    this.#earlier = earlier;
    this.folder = join(log.folder, name);
    mkdirSync(this.folder);
    cpSync(log.gatewayFolder, this.gateway, { recursive: true });
  }

  get gateway(): string {
    return join(this.folder, 'gateway');
  }

  get database(): string {
    return join(this.gateway, 'gateway.sqlite');
  }

  /** Exports the log as the operator would for an auditor; the path, or why it could not be done. */
  async export(
    ...options: string[]
  ): Promise<{ readonly path: string; readonly failure: string | undefined }> {
    const path = join(this.folder, `export-${this.#exports++}`);
    const { code, err } = await command(runCli, [
      'audit',
      'export',
      '--out',
      path,
      ...options,
      '--dir',
      this.gateway,
    ]);
    return { path, failure: code === 0 ? undefined : err };
  }

  /**
   * What each tool says, or each of `only`. `exported`: an export in which files were tampered with, in the place of a
   * new one.
   */
  async judge(
    options: JudgeOptions = {},
    only: readonly Detector[] = DETECTORS,
  ): Promise<Map<Detector, Verdict>> {
    const { path, failure } =
      options.exported === undefined ? await this.export() : { path: options.exported, failure: undefined };
    if (failure !== undefined)
      return new Map([['hit-verify', { detected: true, named: `no export: ${failure}` }]]);
    const tools: Readonly<Record<Detector, () => Promise<Verdict>>> = {
      'hit-verify': () => this.verify(path),
      'earlier export': () => this.verify(path, '--earlier', this.#earlier),
      'receipt holder': () => this.verify(path, '--receipt', options.receipt ?? this.#receiptFile()),
      witness: () => this.witness(options.witness ?? 'politie'),
      reconciliation: () => this.reconcile(path),
    };
    const verdicts = new Map<Detector, Verdict>();
    for (const detector of only) verdicts.set(detector, await tools[detector]());
    return verdicts;
  }

  async verify(path: string, ...options: string[]): Promise<Verdict> {
    const key = encodeBase64(this.#log.publicKey);
    const { code, out, err } = await command(runVerify, [path, '--gateway-key', key, '--json', ...options]);
    if (code === 2) return { detected: true, named: err };
    const { good, first } = JSON.parse(out) as JsonReport;
    if (good) return FINE;
    if (first?.index !== undefined) return { detected: true, named: `entry ${first.index}: ${first.reason}` };
    const range = first?.range;
    return {
      detected: true,
      named: `${range === undefined ? '' : `entries ${range.from} to ${range.to - 1}: `}${first?.reason ?? ''}`,
    };
  }

  /** Shows the checkpoint that is published now to an agency's witness, with what proof the database gives. */
  async witness(agency: string): Promise<Verdict> {
    const { agency: identity, state } = this.#log.party(agency);
    const store = openStore(this.database);
    try {
      const note = (await store.published.latest())?.note ?? '';
      const seen = state as TreeHead;
      const { head } = parseCheckpoint(note);
      const proof =
        head.size < seen.size ? [] : await proveConsistency(store.auditLog.hashes, seen.size, head.size);
      const witness = {
        backend,
        origin: logOrigin(FEDERATION),
        logKey: this.#log.publicKey,
        name: witnessName(FEDERATION, agency),
        seed: identity.seed,
      };
      const response = addCheckpoint(witness, seen, addCheckpointRequest(seen.size, proof, note), 1);
      if (response.status === 200) return FINE;
      return {
        detected: true,
        named: `${response.alarm ?? 'refused'}: it cosigned ${seen.size} entries, and is shown ${head.size}`,
      };
    } finally {
      await store.close();
    }
  }

  async reconcile(path: string): Promise<Verdict> {
    const files = ['wijkteam', 'politie', 'ggz'].map((agency) => {
      const file = join(this.folder, `${agency}.ndjson`);
      const lines = this.#log.lines.filter((line) => line.agency === agency);
      writeFileSync(file, lines.map((line) => `${JSON.stringify(line)}\n`).join(''));
      return file;
    });
    const { code, out, err } = await command(runCli, [
      'audit',
      'reconcile',
      ...files,
      '--export',
      path,
      '--json',
    ]);
    if (code === 0) return FINE;
    if (out === '') return { detected: true, named: err };
    const { differences } = JSON.parse(out) as {
      differences: readonly { lookupId: string; log: string; kind: string; detail: string }[];
    };
    const [first] = differences;
    return {
      detected: true,
      named: `lookup ${first?.lookupId}: ${first?.kind} (${first?.log}): ${first?.detail}`,
    };
  }

  #receiptFile(): string {
    const file = join(this.folder, 'receipt');
    writeFileSync(file, [...this.#log.receipts.values()].at(-1) as string);
    return file;
  }

  remove(): void {
    rmSync(this.folder, { recursive: true });
  }

  receiptOf(lookupId: string): string {
    const file = join(this.folder, `receipt-${lookupId}`);
    writeFileSync(file, this.#log.receipts.get(lookupId) as string);
    return file;
  }
}

async function command(
  run: (
    argv: readonly string[],
    context: {
      environment: Record<string, string>;
      print: (line: string) => void;
      explain: (line: string) => void;
    },
  ) => Promise<number>,
  argv: readonly string[],
): Promise<{ code: number; out: string; err: string }> {
  const [out, err]: [string[], string[]] = [[], []];
  const code = await run(argv, {
    environment: {},
    print: (line) => out.push(line),
    explain: (line) => err.push(line),
  });
  return { code, out: out.join('\n'), err: err.join('\n') };
}

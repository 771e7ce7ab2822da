import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'vitest';
import { runProgram } from '@hitmachine/node-agent';
import {
  blindBatch,
  createSuite,
  decodeBase64,
  encodeBase64,
  encodeToken,
  finishBatch,
  keysFingerprint,
  loadSodium,
} from '@hitmachine/protocol';
import { secureRandom } from '../../../node-agent/src/random.ts';
import type { TestAgency } from '../../harness/agency.ts';
import { Federation } from '../../harness/federation.ts';
import { freePort } from '../../support/free-port.ts';
import { contentOf } from './program.ts';

export const KEY = 'k'.repeat(44);
/** Where the register is that is handed over. */
export const CONTENT = '/v1/registers/zaken/content';

/** An agency whose register comes from a machine with the source, another that asks, and their gateway. */
export class HandOverSetting {
  /** Of the machine with the source. */
  readonly folder = mkdtempSync(join(tmpdir(), 'hitmachine-hand-over-'));
  readonly federation: Federation;
  readonly agency: TestAgency;
  readonly url: string;
  /** Elements that the gateway has evaluated for the register since the last run began. */
  elements = 0;
  #pinned = '';

  /** `withAsker`: whether another agency serves, that asks. */
  static async start({ withAsker = true } = {}): Promise<HandOverSetting> {
    const federation = await Federation.start({
      tap: true,
      agencies: {
        politie: [
          { id: 'zaken', tokenTypes: ['bsn'] },
          { id: 'andere', tokenTypes: ['bsn'] },
        ],
        ...(withAsker && { gemeente: [{ id: 'hulp', tokenTypes: ['bsn'] }] }),
      },
      agentSettings: (id, at) => {
        if (id !== 'politie') return {};
        writeFileSync(join(at, 'hand-over-key'), `${KEY}\n`, { mode: 0o600 });
        return { handOver: { keyFile: 'hand-over-key' } };
      },
    });
    const port = await freePort();
    const setting = new HandOverSetting(federation, port);
    if (withAsker) await federation.agency('gemeente').start();
    const config = join(setting.agency.folder, 'agent.yaml');
    const withSource = readFileSync(config, 'utf8').replace(
      /^( *)(-? *)id: andere$/m,
      (line, indent: string, dash: string) =>
        `${line}\n${indent}${' '.repeat(dash.length)}source: { csv: { file: elsewhere.csv } }`,
    );
    expect(withSource).toContain('elsewhere.csv');
    writeFileSync(config, withSource);
    await setting.agency.start(port);
    await setting.agency.knows(['politie/zaken', 'politie/andere']);
    writeFileSync(join(setting.folder, 'key'), KEY, { mode: 0o600 });
    writeFileSync(join(setting.folder, 'protected.txt'), '');
    await setting.pin();
    return setting;
  }

  private constructor(federation: Federation, port: number) {
    this.federation = federation;
    this.agency = federation.agency('politie');
    this.url = `http://127.0.0.1:${port}`;
    federation.tap!.meddle = (heard) => {
      if (heard.what === 'POST /v1/evaluations' && heard.direction === 'to-gateway') {
        const body = JSON.parse(Buffer.from(heard.bytes).toString()) as {
          elements: string;
          register: string;
        };
        // The agent has its own registers evaluated beside it.
        if (body.register === 'zaken') this.elements += Buffer.from(body.elements, 'base64url').length / 32;
      }
      return heard.bytes;
    };
  }

  /** As its administrator does, who has asked the gateway's operator. */
  async pin(): Promise<void> {
    const { value } = await this.send('GET', CONTENT);
    this.#pinned = keysFingerprint(value['evaluationKey'] as string);
    this.settings();
  }

  settings(id = 'zaken', more = '', agent = this.url): void {
    writeFileSync(
      join(this.folder, 'hand-over.yaml'),
      `agent: ${agent}\nkeyFile: key\nevaluationKeys: [${this.#pinned}]\nregisters:\n  - id: ${id}\n    source: { csv: { file: clients.csv } }\n${more}`,
    );
  }

  async tryRun(rows: readonly string[], ...options: string[]) {
    writeFileSync(join(this.folder, 'clients.csv'), ['reference;bsn;until', ...rows].join('\n'));
    let [out, err] = ['', ''];
    this.elements = 0;
    const always = ['--register', 'zaken', '--json', '--progress', 'none', '--dir', this.folder];
    const code = await runProgram(['hand-over', ...always, ...options], {
      terminal: { out: (text) => (out += text), err: (text) => (err += text), interactive: false },
      defaultDirectory: this.folder,
      stopped: new AbortController().signal,
    });
    return { code, out, err };
  }

  /** What it printed, with what changed; `all` where everything was sent. */
  async run(rows: readonly string[], ...options: string[]): Promise<Record<string, number>> {
    const { code, out, err } = await this.tryRun(rows, ...options);
    expect([code, err]).toEqual([0, '']);
    const { difference, ...rest } = JSON.parse(out) as Record<string, number> & {
      difference: Record<string, number> | null;
    };
    return { ...rest, ...(difference ?? { all: rest['clients'] as number }) };
  }

  held(): string {
    return contentOf(this.agency.folder, ['pseudonyms']);
  }

  async answer(bsn: string | undefined): Promise<string | undefined> {
    await this.agency.ready();
    const town = this.federation.agency('gemeente');
    const { persons } = await town.lookup([{ bsn: bsn as string }], { registers: ['politie/zaken'] });
    return persons[0]?.registers[0]?.status;
  }

  async send(
    method: string,
    path: string,
    body?: string,
    key = KEY,
    type = 'application/x-ndjson',
  ): Promise<{ status: number; value: Record<string, unknown> }> {
    const response = await fetch(`${this.url}${path}`, {
      method,
      headers: { authorization: `Bearer ${key}`, 'content-type': type },
      ...(body !== undefined && { body }),
    });
    return { status: response.status, value: (await response.json()) as Record<string, unknown> };
  }

  /** E of a number, as anybody has it made who has the key. */
  async elementOf(bsn: string): Promise<string> {
    const suite = createSuite('voprf', await loadSodium());
    const { value } = await this.send('GET', CONTENT);
    const evaluationKey = value['evaluationKey'] as string;
    const batch = blindBatch(suite, [encodeToken('person', 'bsn', [bsn])], secureRandom);
    const body = JSON.stringify({ elements: encodeBase64(batch.elements), evaluationKey });
    const said = await this.send('POST', '/v1/registers/zaken/evaluations', body, KEY, 'application/json');
    const evaluated = decodeBase64(said.value['evaluated'] as string);
    const one = Uint8Array.from({ length: 32 }, (_, i) => (i === 0 ? 1 : 0));
    const proof = decodeBase64(said.value['proof'] as string);
    const [made] = finishBatch(suite, decodeBase64(evaluationKey), one, batch, evaluated, proof);
    return encodeBase64(made!.element);
  }

  async close(): Promise<void> {
    await this.federation.close();
    rmSync(this.folder, { recursive: true });
  }
}

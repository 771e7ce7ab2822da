import { cpSync, mkdirSync, mkdtempSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { ServingProgram } from '../support/programs.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));

/** One line of the sources that another version has otherwise. */
interface Change {
  readonly file: string;
  readonly from: string;
  readonly to: string;
}

/** What replicas say to each other in its next version, and agents as before version 2 of their connection. */
const GATEWAY: readonly Change[] = [
  {
    file: 'src/adapters/replica-link/tls.ts',
    from: "LINK_VERSIONS: readonly string[] = ['hitmachine-replica-1']",
    to: "LINK_VERSIONS: readonly string[] = ['hitmachine-replica-2', 'hitmachine-replica-1']",
  },
  {
    file: 'src/domain/agent-versions.ts',
    from: 'AGENT_VERSIONS: readonly number[] = [2, 1]',
    to: 'AGENT_VERSIONS: readonly number[] = [1]',
  },
];
const AGENT: readonly Change[] = [
  {
    file: 'src/adapters/http/handshake.ts',
    from: 'GATEWAY_VERSIONS: readonly number[] = [2, 1]',
    to: 'GATEWAY_VERSIONS: readonly number[] = [1]',
  },
];

/** A service in another version, which says other things on the wire: a copy of its sources in which some lines differ. */
export class OtherVersion {
  readonly #program: string;

  private constructor(
    within: string,
    service: string,
    program: string,
    parts: readonly string[],
    changes: readonly Change[],
  ) {
    const folder = mkdtempSync(join(within, 'version-'));
    const copy = join(folder, service);
    mkdirSync(copy);
    for (const part of ['bin', 'src', 'package.json', ...parts])
      cpSync(join(root, service, part), join(copy, part), { recursive: true });
    for (const part of ['node_modules', 'package.json', 'protocol'])
      symlinkSync(join(root, part), join(folder, part));
    for (const { file, from, to } of changes) {
      const source = readFileSync(join(copy, file), 'utf8');
      if (!source.includes(from)) throw new Error(`${file} names its versions otherwise now`);
      writeFileSync(join(copy, file), source.replace(from, to));
    }
    this.#program = join(copy, 'bin', program);
  }

  /** Its copy lies within a folder that somebody else removes. */
  static gateway(within: string): OtherVersion {
    return new OtherVersion(within, 'gateway', 'hit-gateway.mjs', ['console'], GATEWAY);
  }

  static agent(within: string): OtherVersion {
    return new OtherVersion(within, 'node-agent', 'hit-agent.mjs', ['desk'], AGENT);
  }

  /** Its program, which serves from a folder of today's. */
  serving(folder: string): ServingProgram {
    return new ServingProgram([this.#program, 'serve', '--dir', folder]);
  }
}

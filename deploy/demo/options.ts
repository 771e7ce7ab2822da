import { resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { DemoError } from './processes.ts';

export interface Options {
  readonly once: boolean;
  /** The gateway's port; the agents take the ones above it. */
  readonly port: number;
  readonly directory: string;
  readonly fresh: boolean;
  readonly help: boolean;
}

/** Ports that the demo takes: one for the gateway, one for each of the eight agencies, one for the identity provider. */
export const PORTS = 10;

export const USAGE = `npm start                        starts a gateway and eight agencies, and stays up until Ctrl-C
npm start -- --once              asks a few questions in a temporary folder, checks the answers, and ends
             --port 8460         the first of the ten ports to use
             --dir .demo         where the demo keeps its data between starts
             --fresh             throws that data away first
             --help              this text`;

/** Reads the command line. Throws `DemoError` that names the flag. */
export function readOptions(args: readonly string[], home: string): Options {
  const { once, port, dir, fresh, help } = parse(args);
  const first = Number(port);
  if (!/^[0-9]+$/.test(port) || first < 1 || first > 65_536 - PORTS)
    throw new DemoError(`--port: a number from 1 to ${65_536 - PORTS}, the first of ${PORTS} ports`);
  const directory = dir === undefined ? resolve(home, '.demo') : resolve(dir);
  return { once, port: first, directory, fresh, help };
}

function parse(args: readonly string[]) {
  try {
    return parseArgs({
      args: [...args],
      options: {
        once: { type: 'boolean', default: false },
        port: { type: 'string', default: '8460' },
        dir: { type: 'string' },
        fresh: { type: 'boolean', default: false },
        help: { type: 'boolean', short: 'h', default: false },
      },
    }).values;
  } catch (error) {
    throw new DemoError(`${(error as Error).message}\n\n${USAGE}`);
  }
}

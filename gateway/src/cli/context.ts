import { Option } from 'commander';

/** What the commands get from outside. */
export interface CliContext {
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** What was asked for: standard output. */
  readonly print: (line: string) => void;
  /** What a person should know beside it: standard error. */
  readonly explain: (line: string) => void;
  /** Asks a person at the keyboard; without it nobody is there to ask. */
  readonly ask?: (question: string) => Promise<string>;
}

export interface DirectoryOptions {
  readonly dir: string;
}

/** `--dir`, or HIT_GATEWAY_DIR, or ./hit-gateway. */
export const directoryOption = (context: CliContext): Option =>
  new Option('--dir <directory>', 'directory of the gateway (or HIT_GATEWAY_DIR)').default(
    context.environment['HIT_GATEWAY_DIR'] ?? './hit-gateway',
  );

import type { OperationalLog } from '../ports/operational-log.ts';
import type { Terminal } from './print.ts';

type Fields = Readonly<Record<string, unknown>>;

const WORDS: Readonly<Record<string, (fields: Fields) => string>> = {
  'key-changed': ({ agency }) =>
    `what the roster says of ${String(agency)} is not what was pinned; see: hit-agent trust`,
  'register-vanished': ({ register }) =>
    `the register ${String(register)} was on the roster and is not any more; see: hit-agent trust`,
  'roster-rolled-back': ({ version, held }) =>
    `the gateway shows version ${String(version)} of the roster and showed ${String(held)} before; tell its administrator`,
  'roster-forked': ({ version }) =>
    `the gateway shows two different rosters of version ${String(version)}; tell its administrator`,
};

/** Commands beside `serve` tell warnings in words, not as JSON; not those of which their own output tells. */
export function warnings(terminal: Terminal, untold: readonly string[] = []): OperationalLog {
  const tell = (fields: Fields): void => {
    const { event, ...rest } = fields;
    if (untold.includes(String(event))) return;
    const details = Object.entries(rest).flatMap(([name, value]) =>
      value === undefined ? [] : [`${name} ${JSON.stringify(value)}`],
    );
    terminal.err(`hit-agent: ${WORDS[String(event)]?.(rest) ?? [String(event), ...details].join(', ')}\n`);
  };
  return { debug: () => undefined, info: () => undefined, warn: tell, error: tell };
}

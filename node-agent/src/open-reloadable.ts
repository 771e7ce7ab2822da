import type { Reloadable } from '@hitmachine/service';
import type { Config, ConfiguredRegister } from './config.ts';
import type { AnsweringTables } from './domain/answering/answering-tables.ts';
import type { Upkeep } from './domain/running/upkeep.ts';

/** What of agent.yaml is taken in while the agent runs: how much is logged, and how registers are reached. */
export function reloadable(
  setLogLevel: ((level: Config['logLevel']) => void) | undefined,
  registers: ConfiguredRegister[],
  tables: AnsweringTables,
  upkeep: Upkeep,
): Reloadable<Config>[] {
  const contacts: Reloadable<Config> = {
    has: (setting) => /^registers\.\d+\.contact\./.test(setting),
    take(config) {
      // The very list that the agent goes by: what it tells askers, and what it has published.
      config.registers.forEach((register, i) => {
        const own = registers[i];
        if (own?.id === register.id) registers[i] = { ...own, contact: register.contact };
      });
      tables.takeContacts(registers);
      upkeep.rosterChanged();
    },
  };
  if (setLogLevel === undefined) return [contacts];
  return [
    contacts,
    { has: (setting) => setting === 'logLevel', take: ({ logLevel }) => setLogLevel(logLevel) },
  ];
}

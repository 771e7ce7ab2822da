import type { Agency } from './population/index.ts';

/** agent.yaml of an agency. JSON strings are YAML strings too, which saves thinking about quotes. */
export function agentSettings(agency: Agency, listen: string): string {
  const registers = agency.registers.map(({ id, name, areaOfLife, tokenTypes, contact }) =>
    [
      `  - id: ${id}`,
      `    name: ${JSON.stringify(name)}`,
      `    areaOfLife: ${areaOfLife}`,
      `    tokenTypes: [${tokenTypes.join(', ')}]`,
      '    contact:',
      ...Object.entries(contact).map(([field, value]) => `      ${field}: ${JSON.stringify(value)}`),
    ].join('\n'),
  );
  return `# ${agency.name}, an invented agency\nlisten: ${listen}\nregisters:\n${registers.join('\n')}\n`;
}

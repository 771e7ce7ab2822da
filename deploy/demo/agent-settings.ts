import type { Agency } from './population/index.ts';

/** How the desk of an agency is reached, and who logs in there. */
export interface DeskAddresses {
  readonly baseUrl: string;
  readonly issuer: string;
}

/** agent.yaml of an agency. JSON strings are YAML strings too, which saves thinking about quotes. */
export function agentSettings(agency: Agency, listen: string, desk?: DeskAddresses): string {
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
  return [
    `# ${agency.name}, an invented agency`,
    `listen: ${listen}`,
    ...(desk === undefined ? [] : deskSettings(desk)),
    `registers:\n${registers.join('\n')}\n`,
  ].join('\n');
}

/** The desk, with the roles of the identity provider that stand for those of the city. */
const deskSettings = ({ baseUrl, issuer }: DeskAddresses): string[] => [
  'desk:',
  `  baseUrl: ${baseUrl}`,
  `  issuer: ${issuer}`,
  '  clientId: hitmachine',
  '  clientSecretFile: client-secret',
  '  scope: openid profile roles',
  '  roles:',
  '    process-director: procesregisseur',
];

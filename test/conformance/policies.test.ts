import { readFileSync, readdirSync } from 'node:fs';
import Ajv from 'ajv';
import { describe, expect, it } from 'vitest';
import { policyMistakes, purposeOf } from '@hitmachine/protocol';
import { parse } from 'yaml';
import { policyTemplate } from '../../gateway/src/policy-template.ts';
import { allTogether, nodeExamples, policyExamples } from './examples.ts';
import { SCHEMAS, schemaText } from './schemas.ts';

const FOLDER = new URL('../../deploy/policies/', import.meta.url);
const read = (name: string): string => readFileSync(new URL(name, FOLDER), 'utf8');
const policies = policyExamples();
const files = [
  ...policies.map(({ name }) => [`${name}.yaml`, 'policy.schema.json'] as const),
  ...readdirSync(new URL('node/', FOLDER)).map(
    (name) => [`node/${name}`, 'node-policy.schema.json'] as const,
  ),
];

describe('the schemas for editors', () => {
  it.each(Object.keys(SCHEMAS))('%s is what the code says: npm run schemas', (name) => {
    expect(read(name)).toBe(schemaText(name));
  });

  const validator = (schema: string) => {
    const ajv = new Ajv({ allErrors: true });
    return ajv.compile(JSON.parse(read(schema)) as object);
  };
  it.each(files)('%s fits %s, and says so in its first line', (file, schema) => {
    const text = read(file);
    const path = file.startsWith('node/') ? `../${schema}` : `./${schema}`;
    expect(text.split('\n')[0]).toBe(`# yaml-language-server: $schema=${path}`);
    const fits = validator(schema);
    fits(parse(text));
    expect(fits.errors).toBeNull();
  });

  it('fit what "hit-gateway init" writes, and not what nobody knows', () => {
    const fits = validator('policy.schema.json');
    expect(fits(parse(policyTemplate))).toBe(true);
    expect(fits({ ...(parse(policyTemplate) as object), speed: 1 })).toBe(false);
    expect(fits({ ...(parse(policyTemplate) as object), quotas: { agency: { day: 0 } } })).toBe(false);
  });
});

describe('the example policies', () => {
  it('agree on what they share, so that their purposes can stand in one policy', () => {
    const shared = policies.map(({ policy: { settings, tokenRights, areasOfLife, roles, quotas } }) => ({
      ...{ tokenRights, areasOfLife, roles, quotas },
      settings: { ...settings, maxPersons: 0 },
    }));
    for (const one of shared) expect(one).toEqual(shared[0]);
    const together = allTogether(policies);
    expect(policyMistakes(together)).toEqual([]);
    expect(together.purposes).toHaveLength(policies.length);
  });

  it('have a partner that asks without citizen service numbers', () => {
    const { policy } = policies.find(({ name }) => name === 'zorg-en-veiligheidshuis') ?? {};
    expect(policy?.tokenRights['bsn']).not.toContain('housing-association');
    expect(purposeOf(policy ?? allTogether(policies), 'casusoverleg-zvh')?.askers.kinds).toContain(
      'housing-association',
    );
  });

  it('keep the pilot of Nijmegen off, and say why', () => {
    const { policy } = policies.find(({ name }) => name === 'vroegsignalering-nijmegen') ?? {};
    expect(policy?.purposes).toMatchObject([{ inUse: false }]);
    expect(policy?.purposes[0]?.whyNotInUse?.nl).toMatch(/grondslag/);
  });

  it('and those of agencies are all explained in the README', () => {
    const readme = read('README.md');
    for (const { name } of [...policies, ...nodeExamples()]) expect(readme).toContain(`${name}.yaml`);
  });
});

import { writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { nodePolicySchema } from '@hitmachine/protocol';
import { policyFileJsonSchema } from '../../gateway/src/policy-file.ts';

/** The JSON Schemas in deploy/policies/, by which an editor helps with policy.yaml: of a federation, and of an agency. */
export const SCHEMAS: Readonly<Record<string, () => object>> = {
  'policy.schema.json': policyFileJsonSchema,
  'node-policy.schema.json': () => ({
    title: 'Hitmachine: the rules of an agency of its own',
    ...nodePolicySchema.toJSONSchema({ io: 'input', target: 'draft-7' }),
  }),
};

/** A schema as the text of its file. */
export const schemaText = (name: string): string => `${JSON.stringify(SCHEMAS[name]?.(), null, 2)}\n`;

if (process.argv[1] === fileURLToPath(import.meta.url))
  for (const name of Object.keys(SCHEMAS))
    writeFileSync(new URL(`../../deploy/policies/${name}`, import.meta.url), schemaText(name));

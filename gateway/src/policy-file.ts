import { readFile } from 'node:fs/promises';
import { basename } from 'node:path';
import type { Participants, Policy } from '@hitmachine/protocol';
import { HitError, policyMistakes, policySchema } from '@hitmachine/protocol';
import { mistakesOf, readPlaced } from '@hitmachine/service';
import { z } from 'zod';

/** `policy.yaml`: a policy without what the gateway fills in. */
export const policyFileSchema = policySchema.omit({ format: true, federation: true });

/** Unicode classes mean nothing to an editor that reads patterns without them; `policy validate` checks them all the same. */
const withoutClasses = (name: string, value: unknown): unknown =>
  name === 'pattern' && String(value).includes('\\p{') ? undefined : value;

/** JSON Schema (draft 7) of policy files, for editors. What contradicts itself is found by `policy validate` alone. */
export function policyFileJsonSchema(): Readonly<Record<string, unknown>> {
  const schema = z.toJSONSchema(policyFileSchema, { io: 'input', target: 'draft-7' });
  const plain = JSON.parse(JSON.stringify(schema, withoutClasses)) as Record<string, unknown>;
  return { title: 'Hitmachine: policy of a federation', ...plain };
}

/**
 * Checks the text of a policy file. With `participants`, also the agencies and registers that it names. Throws
 * `config-invalid`: one line a mistake, with file, line, column and field.
 */
export function parsePolicy(
  text: string,
  file: string,
  federation: string,
  participants?: Participants,
): Policy {
  const refuse = (mistakes: readonly string[], cause?: unknown): HitError =>
    new HitError('config-invalid', mistakes.map((line) => `${file}:${line}`).join('\n'), { cause });
  const placed = readPlaced(text);
  if ('problem' in placed) throw refuse([` ${placed.problem}`]);
  const { value, place } = placed;
  const { success, data, error } = policyFileSchema.safeParse(value);
  if (!success)
    throw refuse(
      mistakesOf(policyFileSchema, error).map(({ path, detail }) => `${place(path)}: ${detail}`),
      error,
    );
  const policy: Policy = { format: 'hitmachine-policy-1', federation, ...data };
  const mistakes = policyMistakes(policy, participants);
  if (mistakes.length > 0)
    throw refuse(mistakes.map(({ path, detail }) => `${place(path)}: ${path.join('.')}: ${detail}`));
  return policy;
}

/** Reads and checks a policy file. Throws `config-invalid`. */
export async function readPolicy(
  path: string,
  federation: string,
  participants?: Participants,
): Promise<Policy> {
  let text: string;
  try {
    text = await readFile(path, 'utf8');
  } catch (cause) {
    throw new HitError('config-invalid', `${path} cannot be read: give the right path`, { cause });
  }
  return parsePolicy(text, basename(path), federation, participants);
}

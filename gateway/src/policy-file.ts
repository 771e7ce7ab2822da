import { readFile } from 'node:fs/promises';
import { basename } from 'node:path';
import type { Participants, Policy } from '@hitmachine/protocol';
import { HitError, policyMistakes, policySchema } from '@hitmachine/protocol';
import type { Node } from 'yaml';
import { LineCounter, isMap, isNode, isPair, isScalar, parseDocument } from 'yaml';
import { z } from 'zod';
import { yamlMistake } from './config.ts';

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

type Path = readonly (string | number)[];

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
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines });
  const refuse = (mistakes: readonly string[], cause?: unknown): HitError =>
    new HitError('config-invalid', mistakes.map((line) => `${file}:${line}`).join('\n'), { cause });
  const [broken] = document.errors;
  if (broken !== undefined) throw refuse([` ${yamlMistake(broken)}`]);
  const place = (path: Path): string => {
    const { line, col } = lines.linePos(offsetOf(document.contents, path));
    return `${line}:${col}`;
  };
  let value: unknown;
  try {
    value = document.toJS();
  } catch (cause) {
    throw refuse([' an alias (*name) leads nowhere, or to too much: write out what it stands for'], cause);
  }
  const { success, data, error } = policyFileSchema.safeParse(value);
  if (!success)
    throw refuse(
      error.issues.map((issue) => `${place(pathOf(issue))}: ${fieldOf(issue)}${issue.message}`),
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

/** The place of a name that is not known is that of the name itself. */
function pathOf(issue: z.core.$ZodIssue): Path {
  const path = issue.path as Path;
  return issue.code === 'unrecognized_keys' ? [...path, issue.keys[0] ?? ''] : path;
}

function fieldOf(issue: z.core.$ZodIssue): string {
  const names = issue.code === 'unrecognized_keys' ? ` (${issue.keys.join(', ')})` : '';
  return `${issue.path.map(String).join('.')}${names}${issue.path.length === 0 && names === '' ? '' : ': '}`;
}

/** Where a path leads to, as far as it leads: the place of a name for a setting that is missing is that of what should hold it. */
function offsetOf(contents: unknown, path: Path): number {
  let node = contents as Node | null;
  let offset = node?.range?.[0] ?? 0;
  for (const step of path) {
    if (isMap(node)) {
      const pair = node.items.find(({ key }) => isScalar(key) && String(key.value) === String(step));
      if (pair === undefined) return offset;
      offset = (isNode(pair.key) ? pair.key.range?.[0] : undefined) ?? offset;
      node = pair.value as Node | null;
    } else {
      const item: unknown = (node as { get?: (key: unknown, keep: boolean) => unknown } | null)?.get?.(
        step,
        true,
      );
      if (!isNode(item) || isPair(item)) return offset;
      node = item;
      offset = node.range?.[0] ?? offset;
    }
  }
  return offset;
}

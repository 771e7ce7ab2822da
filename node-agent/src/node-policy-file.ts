import { readFileSync, statSync } from 'node:fs';
import type { NodePolicy } from '@hitmachine/protocol';
import { HitError, nodePolicySchema } from '@hitmachine/protocol';
import type { Path } from '@hitmachine/service';
import { fileProblem, mistakesOf, readPlaced } from '@hitmachine/service';
import { isThere } from './directory.ts';

/** An agency's own rules as they stand in a file, which can tell where. */
export interface PlacedPolicy {
  readonly policy: NodePolicy;
  /** `FILE:line:column` of a path. */
  readonly place: (path: Path) => string;
}

/**
 * Reads and checks this agency's own rules, policy.yaml; without such a file everything that the federation allows is
 * answered, within the usual limits. Throws `config-invalid`: a line a mistake, with file, line, column and the cure.
 */
export function readNodePolicy(file: string, { mustBeThere = false } = {}): NodePolicy {
  // An editor or a script that fails half-way must not open what was closed: {} says that nothing is limited.
  if (mustBeThere && (!isThere(file) || statSync(file).size === 0))
    throw new HitError(
      'config-invalid',
      `${file}: it is gone or empty; write {} into it to have no rules of your own`,
    );
  return readPlacedPolicy(file).policy;
}

/** As {@link readNodePolicy}, with the places of what stands there. */
export function readPlacedPolicy(file: string): PlacedPolicy {
  const refuse = (lines: readonly string[], cause?: unknown): HitError =>
    new HitError('config-invalid', lines.map((line) => `${file}:${line}`).join('\n'), { cause });
  let text = '';
  try {
    if (isThere(file)) text = readFileSync(file, 'utf8');
  } catch (cause) {
    throw refuse([` ${fileProblem(cause) ?? 'the file cannot be read'}`], cause);
  }
  const placed = readPlaced(text);
  if ('problem' in placed) throw refuse([` ${placed.problem}`]);
  const { success, data, error } = nodePolicySchema.safeParse(placed.value);
  if (!success)
    throw refuse(
      mistakesOf(nodePolicySchema, error).map(({ path, detail }) => `${placed.place(path)}: ${detail}`),
      error,
    );
  return { policy: data, place: (path) => `${file}:${placed.place(path)}` };
}

/** What changes whenever the file does; the same for as long as it is not there. */
export function stampOf(file: string): string {
  const stat = statSync(file, { throwIfNoEntry: false, bigint: true });
  return stat === undefined ? '' : `${stat.mtimeNs} ${stat.size} ${stat.ino}`;
}

/** What `init` writes as policy.yaml: nothing is limited beyond the usual until somebody fills it in. */
export const NODE_POLICY_TEMPLATE = `# What this agency answers, of what the federation's policy allows: these rules can only be stricter.
# Changes are taken in within seconds; look at them first with: hit-agent policy validate
# "hit-agent answering off" stops all answering at once, whatever stands here.

# For every register. What is left out is not limited.
# all:
#   agencies: [waalstad, politie]            # the agencies that get an answer
#   purposes: [casusoverleg-zvh]             # and the purposes for which they do
#   roles: [information-coordinator]         # and the roles of the professionals who ask
#   breakGlass: true                         # false: not without the approval that a question needs

# For one register more than for all.
# registers:
#   verslavingszorg:
#     purposes: [casusoverleg-zvh]
#     breakGlass: false

# When questions are answered, Dutch time. A question in need (break-glass) is answered at any time, unless evenInNeed.
# hours:
#   days: [mon, tue, wed, thu, fri]
#   from: "08:00"
#   until: "18:00"
#   evenInNeed: false

quotas:
  # Persons that one agency may ask about here in a day (UTC), and all agencies together.
  personsPerAgencyPerDay: 500
  personsPerDay: 5000
  # Other limits for some agencies; at most the one for all.
  # agencies: { schuldhulp: 50 }
`;

import { HitError } from '@hitmachine/protocol';
import type { AccessTokens } from '../../ports/access-tokens.ts';
import type { LookupInput } from './lookup-input.ts';

/** A case system that may ask, and for whom. */
export interface CaseSystem {
  readonly clientId: string;
  readonly name: string;
  /** Roles of professionals that it vouches for. */
  readonly roles: readonly string[];
  /** Purposes that it may ask for; all when undefined. */
  readonly purposes?: readonly string[] | undefined;
}

/** The case systems of an agency: who may send questions, and what each may ask. */
export class CaseSystems {
  readonly #tokens: AccessTokens;
  readonly #scope: string | undefined;
  readonly #systems: ReadonlyMap<string, CaseSystem>;

  constructor(tokens: AccessTokens, scope: string | undefined, systems: readonly CaseSystem[]) {
    this.#tokens = tokens;
    this.#scope = scope;
    this.#systems = new Map(systems.map((system) => [system.clientId, system]));
  }

  /** The case system that sends this request. Rejects with `unauthorised`, `not-allowed` or `not-ready`. */
  async callerOf(request: Request): Promise<CaseSystem> {
    const { clientId, scopes } = await this.#tokens.holderOf(request);
    const system = this.#systems.get(clientId);
    if (system === undefined)
      throw new HitError(
        'not-allowed',
        'this client is not among those of caseSystems in agent.yaml; have its clientId entered there',
        { rule: 'case-system' },
      );
    if (this.#scope !== undefined && !scopes.includes(this.#scope))
      throw new HitError('not-allowed', `the access token lacks the scope ${this.#scope}; ask for it`, {
        rule: 'case-system',
      });
    return system;
  }
}

/** Refuses what this case system may not ask, before the policy is looked at. Throws `not-allowed` with the field. */
export function requireAllowed(system: CaseSystem, { role, purpose, approval }: LookupInput): void {
  const refuse = (field: string, allowed: readonly string[]): HitError => {
    const detail = `this case system may only ask for ${allowed.join(', ')} (caseSystems in agent.yaml)`;
    return new HitError('not-allowed', `${field}: ${detail}`, {
      fields: [{ field, detail }],
      rule: 'case-system',
    });
  };
  if (!system.roles.includes(role)) throw refuse('role', system.roles);
  if (approval !== undefined && !system.roles.includes(approval.role))
    throw refuse('approval.role', system.roles);
  if (system.purposes?.includes(purpose) === false) throw refuse('purpose', system.purposes);
}

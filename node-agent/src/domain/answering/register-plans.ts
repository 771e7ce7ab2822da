import { HitError, shareBits } from '@hitmachine/protocol';
import type { ConfiguredRegister } from '../../config.ts';
import type { Clock } from '../../ports/clock.ts';
import type { OperationalLog } from '../../ports/operational-log.ts';
import type { PseudonymStore } from '../../ports/pseudonym-store.ts';
import { dayNumber } from '../days.ts';
import type { RosterKeeper } from '../membership/roster-keeper.ts';
import { ownSettings, typesInUse } from '../membership/token-types.ts';

/** What there is to build of a register: bits by token type, or why there can be no tables of it. */
type Plan = { readonly bits: ReadonlyMap<string, number> } | { readonly problem: string };

interface PlanDeps {
  readonly roster: RosterKeeper;
  readonly pseudonyms: PseudonymStore;
  readonly clock: Clock;
  readonly log: OperationalLog;
}

/** Which tables each register gets. Kept with what they were made from: counting a large register takes its time. */
export class RegisterPlans {
  readonly #deps: PlanDeps;
  readonly #plans = new Map<string, { readonly madeFrom: string; readonly plan: Plan }>();

  constructor(deps: PlanDeps) {
    this.#deps = deps;
  }

  async of(register: ConfiguredRegister, generation: number): Promise<Plan> {
    const madeFrom = await this.madeFrom(register, generation);
    const known = this.#plans.get(register.id);
    if (known?.madeFrom === madeFrom) return known.plan;
    return this.keep(register, madeFrom, await this.#newPlan(register));
  }

  keep({ id }: ConfiguredRegister, madeFrom: string, plan: Plan): Plan {
    if ('problem' in plan)
      this.#deps.log.error({ event: 'register-not-built', register: id, reason: plan.problem });
    this.#plans.set(id, { madeFrom, plan });
    return plan;
  }

  async #newPlan(register: ConfiguredRegister): Promise<Plan> {
    const { roster, pseudonyms, clock } = this.#deps;
    const settings = ownSettings(roster);
    const types = typesInUse(register, settings);
    const today = dayNumber(clock());
    if (types.length === 0) return { problem: 'this federation uses none of its token types' };
    const entries = new Map<string, number>();
    for (const type of types) entries.set(type, await pseudonyms.count(register.id, type, today));
    try {
      return { bits: shareBits(entries, settings.tokenTypes) };
    } catch (error) {
      return { problem: problemIn(error) };
    }
  }

  /** Everything that a plan depends on. */
  async madeFrom(register: ConfiguredRegister, generation: number): Promise<string> {
    const settings = ownSettings(this.#deps.roster);
    const budgets = typesInUse(register, settings).map((type) => [type, settings.tokenTypes[type]]);
    // Clients who ended leave without an import, and so do persons who are not kept any longer.
    const today = dayNumber(this.#deps.clock());
    const imports = await this.#deps.pseudonyms.imports();
    const held = imports.find((state) => state.register === register.id);
    return JSON.stringify([generation, held?.clients, today, budgets]);
  }
}

/** Why a register can have no tables; whatever else went wrong is thrown on, and tried again. */
export function problemIn(error: unknown): string {
  if (error instanceof HitError && error.code === 'field-invalid') return error.detail;
  throw error;
}

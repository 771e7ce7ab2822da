import type { SignalSettings } from '@hitmachine/protocol';
import { ENTRY_ID_BYTES, LookupWatch, Pace, dutchTime, encodeBase64 } from '@hitmachine/protocol';
import type { OperationalLog } from '../log.ts';
import type { AuditLog } from '../ports/audit-log.ts';
import type { Runtime } from '../ports/runtime.ts';

interface WatchDeps {
  readonly auditLog: AuditLog;
  readonly runtime: Runtime;
  readonly log: OperationalLog;
  readonly settings: () => SignalSettings;
}

/** A professional as the gateway knows one: an agency and a pseudonym that means something to that agency alone. */
interface Professional {
  readonly agency: string;
  readonly professional: string;
}

/**
 * Watches the lookups of professionals for what looks like enumeration: tells the auditors by an entry in the log, and
 * makes whoever stood out wait between two lookups for a while. What it has seen is in memory alone: a gateway that
 * starts anew has forgotten it, and of several gateways each sees its own part. The quotas, which are stored, bound
 * what can be asked all the same.
 */
export class ProfessionalWatch {
  readonly #deps: WatchDeps;
  readonly #watch: LookupWatch;
  readonly #pace: Pace;

  constructor(deps: WatchDeps) {
    this.#deps = deps;
    this.#watch = new LookupWatch(deps.settings);
    this.#pace = new Pace(deps.settings);
  }

  /** Throws `quota-exceeded` with the rule `slowed-down` for who stood out and has to wait before the next lookup. */
  requirePace(professional: Professional): void {
    const now = this.#deps.runtime.now();
    this.#pace.require(nameOf(professional), now);
    // In the same step: of many at the same moment one is let through.
    this.#pace.seen(nameOf(professional), now);
  }

  /** Takes a lookup that stands in the log. A signal that cannot be logged is told to the operator. */
  async seen(lookup: Professional & { readonly purpose: string; readonly persons: number }): Promise<void> {
    const { runtime, auditLog, log } = this.#deps;
    const { agency, professional, purpose, persons } = lookup;
    const at = runtime.now();
    const who = nameOf(lookup);
    const lookupSeen = { who, agency, purpose, persons, at, local: dutchTime(at) };
    for (const { signal, count } of this.#watch.add(lookupSeen)) {
      this.#pace.slow(who, at);
      const id = encodeBase64(runtime.random(ENTRY_ID_BYTES));
      await auditLog
        .append(at, { event: 'signal', id, agency, professional, signal, count })
        .catch((err: unknown) => log.error('signal-not-logged', { agency, err }));
    }
  }
}

const nameOf = ({ agency, professional }: Professional): string => `${agency} ${professional}`;

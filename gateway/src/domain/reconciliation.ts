/** A lookup as the gateway's log has it. */
export interface GatewayLookup {
  readonly lookupId: string;
  /** Milliseconds since 1970. */
  readonly at: number;
  /** An agency's question to itself about its canary, which it does not log. */
  readonly canary: boolean;
  readonly asker: string;
  readonly purpose: string;
  readonly persons: number;
  /** The agencies whose registers it addressed. */
  readonly nodes: readonly string[];
  /** SHA-256 of the signature base of the asker's request, base64url. */
  readonly requestDigest: string;
  /** The agencies whose answer the gateway passed on. */
  readonly answeredBy: readonly string[];
}

/** A lookup as an agency's log has it. */
export interface AgencyLookup {
  readonly agency: string;
  readonly role: 'asked' | 'answered' | 'refused';
  readonly lookupId: string;
  /** Milliseconds since 1970. */
  readonly at: number;
  readonly purpose: string;
  readonly persons: number;
  /** Of a lookup that was asked, the agencies that it was for; of the others, the asker. */
  readonly others: readonly string[];
  readonly requestDigest?: string | undefined;
}

/** One thing that stands in one log and not, or otherwise, in another. */
export interface Difference {
  readonly lookupId: string;
  readonly at: number;
  readonly kind: 'missing' | 'differs';
  /** Whose log lacks it, or has it otherwise: an agency, or `gateway`. */
  readonly log: string;
  readonly detail: string;
}

export interface Reconciled {
  /** Lookups that stand in at least one of the logs. */
  readonly lookups: number;
  /** The agencies whose logs were compared. */
  readonly agencies: readonly string[];
  /** By time. */
  readonly differences: readonly Difference[];
}

/** Milliseconds since 1970: from one moment on, before the other. */
export interface Period {
  readonly since: number;
  readonly until: number;
}

/**
 * Lays the logs of agencies beside that of the gateway, by the identifiers of lookups. `agencies` are those whose logs
 * are complete here for the period; only of them can something be missing.
 */
export function reconcileLogs(
  gateway: ReadonlyMap<string, GatewayLookup>,
  lines: readonly AgencyLookup[],
  agencies: ReadonlySet<string>,
  { since, until }: Period,
): Reconciled {
  const byLookup = Map.groupBy(lines, ({ lookupId }) => lookupId);
  const ids = new Set([...gateway.keys(), ...byLookup.keys()]);
  const differences: Difference[] = [];
  let lookups = 0;
  for (const lookupId of ids) {
    const logged = gateway.get(lookupId);
    const told = byLookup.get(lookupId) ?? [];
    const at = logged?.at ?? Math.min(...told.map((line) => line.at));
    if (at < since || at >= until) continue;
    lookups++;
    const found =
      logged === undefined ? withoutGateway(told, agencies) : besideGateway(logged, told, agencies);
    for (const difference of found) differences.push({ lookupId, at, ...difference });
  }
  differences.sort((a, b) => a.at - b.at);
  return { lookups, agencies: [...agencies].sort(), differences };
}

type Found = Omit<Difference, 'lookupId' | 'at'>;

const missing = (log: string, detail: string): Found => ({ kind: 'missing', log, detail });
const differs = (log: string, detail: string): Found => ({ kind: 'differs', log, detail });

function withoutGateway(told: readonly AgencyLookup[], agencies: ReadonlySet<string>): Found[] {
  const askers = new Set(told.filter(({ role }) => role === 'asked').map(({ agency }) => agency));
  const who = told.map(({ agency, role }) => `${agency} ${role}`).join(', ');
  const claimed = told.flatMap(({ role, others }) => (role === 'asked' ? [] : others));
  const silent = [...new Set(claimed)].filter((agency) => agencies.has(agency) && !askers.has(agency));
  return [
    missing('gateway', `in the agencies' logs: ${who}`),
    ...silent.map((agency) => missing(agency, `is named as the asker by: ${who}`)),
  ];
}

function besideGateway(
  logged: GatewayLookup,
  told: readonly AgencyLookup[],
  agencies: ReadonlySet<string>,
): Found[] {
  const { asker, canary, answeredBy } = logged;
  const has = (agency: string, ...roles: readonly AgencyLookup['role'][]): boolean =>
    told.some((line) => line.agency === agency && roles.includes(line.role));
  const found: Found[] = [];
  if (canary) return told.flatMap((line) => compared(logged, line));
  if (agencies.has(asker) && !has(asker, 'asked'))
    found.push(missing(asker, "the gateway's log has its signed request"));
  for (const node of answeredBy)
    if (agencies.has(node) && !has(node, 'answered', 'refused'))
      found.push(missing(node, `the gateway passed its answer on to ${asker}`));
  for (const line of told) found.push(...compared(logged, line));
  return found;
}

/** What an agency's line says otherwise than the gateway's log. */
function compared(logged: GatewayLookup, line: AgencyLookup): Found[] {
  const { agency, role, purpose, persons, others, requestDigest } = line;
  const found: Found[] = [];
  const expect = (what: string, here: string | number, there: string | number): void => {
    if (here !== there) found.push(differs(agency, `${what}: ${here}, and ${there} in the gateway's log`));
  };
  if (role === 'asked') {
    expect('asker', agency, logged.asker);
    expect('agencies asked', [...others].sort().join(' '), [...logged.nodes].sort().join(' '));
  } else {
    expect('asker', others.join(' '), logged.asker);
    if (!logged.nodes.includes(agency))
      found.push(
        differs(agency, `${role} it, and the lookup in the gateway's log does not address ${agency}`),
      );
  }
  expect('purpose', purpose, logged.purpose);
  expect('persons', persons, logged.persons);
  if (requestDigest !== undefined && requestDigest !== logged.requestDigest)
    found.push(differs(agency, 'it has another signed request than the gateway'));
  return found;
}

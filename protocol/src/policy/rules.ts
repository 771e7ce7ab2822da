/**
 * The rules by which the gateway, and then every node for itself, holds a question against the federation's policy.
 * A refusal names one of them. None depends on the person asked about.
 */
export const FEDERATION_RULES = [
  'policy-version',
  'purpose',
  'purpose-not-in-use',
  'agency-kind',
  'agency',
  'role',
  'statements',
  'register',
  'area-of-life',
  'token-types',
  'persons',
  'approval',
  'break-glass',
] as const;
export type FederationRule = (typeof FEDERATION_RULES)[number];

/** The limits of a policy, federation-wide and of one purpose. */
export const QUOTA_RULES = [
  'quota-professional-minute',
  'quota-professional-day',
  'quota-agency-minute',
  'quota-agency-day',
  'quota-purpose-professional-minute',
  'quota-purpose-professional-day',
  'quota-purpose-agency-minute',
  'quota-purpose-agency-day',
] as const;
export type QuotaRule = (typeof QUOTA_RULES)[number];

/** What the gateway may refuse a lookup by. */
export const GATEWAY_RULES = [...FEDERATION_RULES, ...QUOTA_RULES, 'slowed-down'] as const;
export type GatewayRule = (typeof GATEWAY_RULES)[number];

/** What a node adds of its own; it can only be stricter. */
export const NODE_RULES = [
  'stopped',
  'closed',
  'node-agency',
  'node-purpose',
  'node-role',
  'node-break-glass',
  'node-quota-agency',
  'node-quota-all',
] as const;
export type NodeRule = (typeof NODE_RULES)[number];

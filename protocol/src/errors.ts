/**
 * Every way in which this system says no: one closed list, one status and title each.
 * Services render them as problem+json (RFC 9457) with {@link problemOf}; details never hold personal data.
 */
export const ERRORS = {
  malformed: { status: 400, title: 'The message is not well-formed' },
  'field-invalid': { status: 400, title: 'A field has a value that is not allowed' },
  'bsn-invalid': { status: 400, title: 'The citizen service number is not valid' },
  'name-invalid': { status: 400, title: 'The name cannot be used for matching' },
  'birth-date-invalid': { status: 400, title: 'The birth date is not valid' },
  'address-invalid': { status: 400, title: 'The address is not valid' },
  'identifier-invalid': { status: 400, title: 'The identifier is not valid' },
  'person-without-token': { status: 400, title: 'A person has no identifier that can be asked about' },
  'element-invalid': { status: 400, title: 'A group element is malformed, not canonical or the identity' },
  'scalar-invalid': { status: 400, title: 'A scalar is zero or not canonical' },
  'proof-invalid': { status: 502, title: 'The gateway could not prove that it used its published key' },
  'signature-invalid': { status: 401, title: 'The signature is missing or not valid' },
  'signature-expired': { status: 401, title: 'The signature is outside its time window' },
  replayed: { status: 401, title: 'This message was seen before' },
  unauthorised: { status: 401, title: 'The caller is not known here' },
  'decryption-failed': { status: 400, title: 'A sealed message could not be opened' },
  'session-unknown': { status: 409, title: 'The session between the agencies must be renewed' },
  'ticket-invalid': { status: 403, title: 'The ticket does not allow this' },
  'ticket-expired': { status: 403, title: 'The ticket has expired' },
  'unknown-purpose': { status: 400, title: 'The purpose is not part of the policy' },
  'unknown-agency': { status: 404, title: 'The agency is not on the roster' },
  'unknown-register': { status: 400, title: 'The register is not on the roster' },
  'unknown-lookup': { status: 404, title: 'There is no such open lookup' },
  'not-allowed': { status: 403, title: 'The policy does not allow this' },
  'quota-exceeded': { status: 429, title: 'The quota is used up' },
  'agency-busy': { status: 429, title: 'Much of this agency is being worked on already' },
  overloaded: { status: 503, title: 'The service has too much to do at the moment' },
  'roster-outdated': { status: 409, title: 'The deployed roster is newer than the one used' },
  'key-changed': { status: 409, title: 'A pinned key has changed' },
  'enrolment-refused': { status: 403, title: 'The enrolment token is not valid' },
  'already-exists': { status: 409, title: 'It exists already' },
  'version-not-spoken': { status: 400, title: 'The two sides speak no version in common' },
  'not-found': { status: 404, title: 'There is nothing here' },
  'method-not-allowed': { status: 405, title: 'This address does not take this method' },
  'unsupported-media-type': { status: 415, title: 'This content type is not accepted here' },
  'body-too-large': { status: 413, title: 'The body is too large' },
  'config-invalid': { status: 500, title: 'The configuration is not valid' },
  'import-invalid': { status: 400, title: 'The file has rows that cannot be imported' },
  'backup-invalid': { status: 400, title: 'The backup cannot be used' },
  'source-unavailable': { status: 503, title: 'The source of the clients cannot be read' },
  'keystore-invalid': { status: 500, title: 'The key store cannot be opened' },
  'storage-failed': { status: 503, title: 'A record could not be stored, so nothing was answered' },
  'not-ready': { status: 503, title: 'The service is not ready' },
  'gateway-unreachable': { status: 502, title: 'The gateway could not be reached' },
  'log-proof-invalid': { status: 502, title: 'A proof of the log does not hold' },
  'log-inconsistent': { status: 503, title: 'The log of the gateway contradicts what was seen before' },
  internal: { status: 500, title: 'Something went wrong inside' },
} as const satisfies Record<string, { status: number; title: string }>;

/** A code from the closed list {@link ERRORS}. */
export type ErrorCode = keyof typeof ERRORS;

/** One offending field of a request: a JSON pointer-like path and what would be accepted. */
export interface FieldError {
  readonly field: string;
  readonly detail: string;
}

/** The only error type that crosses a module boundary on purpose. `detail` is safe to show to the caller. */
export class HitError extends Error {
  readonly code: ErrorCode;
  readonly detail: string;
  readonly fields: readonly FieldError[];
  /** Seconds after which trying again makes sense; becomes `Retry-After`. */
  readonly retryAfter: number | undefined;
  /** The rule of a policy that refused, where it was one. */
  readonly rule: string | undefined;

  constructor(
    code: ErrorCode,
    detail: string = ERRORS[code].title,
    options: { fields?: readonly FieldError[]; retryAfter?: number; rule?: string; cause?: unknown } = {},
  ) {
    super(`${code}: ${detail}`, { cause: options.cause });
    this.name = 'HitError';
    this.code = code;
    this.detail = detail;
    this.fields = options.fields ?? [];
    this.retryAfter = options.retryAfter;
    this.rule = options.rule;
  }
}

/** A problem document (RFC 9457) with the members that the Dutch API Design Rules ask for. */
export interface Problem {
  readonly type: string;
  readonly status: number;
  readonly title: string;
  readonly detail: string;
  readonly code: ErrorCode;
  readonly fields?: readonly FieldError[];
  /** The rule of a policy that refused. */
  readonly rule?: string;
}

/**
 * The problem document for any thrown value. What is not a {@link HitError} becomes `internal` without a word
 * of its message: inner detail is for the log, not for the caller.
 */
export function problemOf(error: unknown): Problem {
  const known = error instanceof HitError ? error : new HitError('internal');
  const { status, title } = ERRORS[known.code];
  return {
    type: `urn:hitmachine:error:${known.code}`,
    status,
    title,
    detail: known.detail,
    code: known.code,
    ...(known.fields.length > 0 ? { fields: known.fields } : {}),
    ...(known.rule !== undefined ? { rule: known.rule } : {}),
  };
}

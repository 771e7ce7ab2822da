import type { LogEvent, Policy, Signer, SignedDocument } from '@hitmachine/protocol';
import {
  GATEWAY_KEY_ID,
  HitError,
  POLICY_KIND,
  digestOf,
  openByAll,
  policySchema,
  signDocument,
  signersOf,
} from '@hitmachine/protocol';
import type { AuditLog } from '../ports/audit-log.ts';
import type { Directory } from '../ports/directory.ts';
import type { Runtime } from '../ports/runtime.ts';
import type { GatewayKeys } from './keys.ts';
import { publicKeys } from './keys.ts';

interface PolicyDeps {
  readonly keys: GatewayKeys;
  readonly directory: Directory;
  readonly auditLog: AuditLog;
  readonly runtime: Runtime;
}

/** Signs a policy with the gateway's key. */
export function signPolicy({ keys }: Pick<PolicyDeps, 'keys'>, policy: Policy): SignedDocument {
  const signer = { keyId: GATEWAY_KEY_ID, seed: keys.identitySeed.reveal() };
  return signDocument(keys.suite.backend, POLICY_KIND, policy, signer);
}

/** Opens a policy that all of `signers` signed. Throws `signature-invalid`, `malformed` or `field-invalid`. */
export function openPolicy(
  { keys }: Pick<PolicyDeps, 'keys'>,
  document: SignedDocument,
  signers: readonly Signer[],
): Policy {
  return openByAll(keys.suite.backend, POLICY_KIND, policySchema, document, signers);
}

/**
 * Puts a signed policy in force: it is logged, then stored, and comes with the next roster. Throws `already-exists` for a
 * version that does not rise, `config-invalid` for another federation, and what {@link openPolicy} throws.
 */
export async function publishPolicy(
  deps: PolicyDeps,
  document: SignedDocument,
  signers: readonly Signer[],
  federation: string,
): Promise<Policy> {
  const policy = openPolicy(deps, document, signers);
  if (policy.federation !== federation)
    throw new HitError(
      'config-invalid',
      `the policy is that of the federation ${policy.federation}, not of ${federation}`,
    );
  return deps.directory.exclusively(async () => {
    const before = await deps.directory.latestPolicy();
    if (before !== undefined && policy.version <= before.version)
      throw new HitError(
        'already-exists',
        `version: version ${before.version} of the policy is in force; give the new one a higher number`,
      );
    await deps.auditLog.append(deps.runtime.now(), publishedEvent('policy', policy.version, document));
    await deps.directory.savePolicy({ version: policy.version, document });
    return policy;
  });
}

/** Puts the first policy in force, where there is none yet; of several gateways that start at once, one does. */
export async function publishFirstPolicy(
  deps: PolicyDeps,
  first: () => Promise<Policy>,
  federation: string,
): Promise<void> {
  const { directory, keys } = deps;
  if ((await directory.latestPolicy()) !== undefined) return;
  const document = signPolicy(deps, await first());
  try {
    await publishPolicy(deps, document, signersOf(publicKeys(keys)), federation);
  } catch (error) {
    if (!(error instanceof HitError) || error.code !== 'already-exists') throw error;
  }
}

/** The entry that tells of a document which people decided on. */
export function publishedEvent(
  event: 'policy' | 'members',
  version: number,
  document: SignedDocument,
): LogEvent {
  return {
    event,
    version,
    digest: digestOf(document),
    signers: document.signatures.map(({ keyId }) => keyId),
  };
}

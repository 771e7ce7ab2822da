import type { Agency, Policy, Register, Roster } from '@hitmachine/protocol';
import { agencyKinds, agencySchema, encodeBase64 } from '@hitmachine/protocol';
import type { Tables } from './tables.ts';

/** The agency that holds a register for each area of life. */
export const HOLDER = 'registry';

const register = (id: string, areaOfLife: string): Register => ({
  id,
  name: id,
  areaOfLife,
  tokenTypes: ['bsn', 'name+birthdate', 'address'],
  contact: { name: id },
  tableBits: {},
});

const agency = (id: string, kind: string, registers: readonly Register[]): Agency =>
  agencySchema.parse({
    id,
    name: id,
    kind,
    identityKey: encodeBase64(new Uint8Array(32)),
    sessionKey: { kem: 'x25519', publicKey: encodeBase64(new Uint8Array(32)) },
    registers,
  });

/** The register of an area of life: that of persons asked about has a name of its own. */
export const registerOfArea = (area: string): string => (area === 'subject-access' ? 'asked-about' : area);

/**
 * Who takes part: an agency of each kind, named for it, one that holds a register for each area of life of the policy,
 * and those that stand in the tables under "Agencies" and "Registers".
 */
export function agenciesFor(policy: Policy, { sections }: Tables): Agency[] {
  const named = (sections.get('Agencies') ?? []).map((row) => ({
    id: row['agency'] ?? '',
    kind: row['kind'] ?? '',
  }));
  const registers = (sections.get('Registers') ?? []).map((row) => {
    const [owner = '', id = ''] = (row['register'] ?? '').split('/');
    return { owner, register: register(id, row['area of life'] ?? '') };
  });
  return [...agencyKinds.map((kind) => ({ id: kind, kind })), ...named, { id: HOLDER, kind: 'other' }].map(
    ({ id, kind }) =>
      agency(id, kind, [
        ...registers.filter(({ owner }) => owner === id).map((one) => one.register),
        ...(id === HOLDER ? policy.areasOfLife.map(({ code }) => register(registerOfArea(code), code)) : []),
      ]),
  );
}

export function rosterOf(policy: Policy, agencies: readonly Agency[]): Roster {
  return {
    format: 'hitmachine-roster-1',
    federation: policy.federation,
    version: 1,
    issuedAt: 0,
    gateway: { identityKey: '', evaluationKey: '' },
    policy,
    agencies: [...agencies],
  };
}

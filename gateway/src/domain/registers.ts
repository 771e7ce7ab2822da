import type { CheckedSignature, FieldError, Register, Settings } from '@hitmachine/protocol';
import { HitError } from '@hitmachine/protocol';
import type { AuditLog } from '../ports/audit-log.ts';
import type { Directory } from '../ports/directory.ts';
import type { Runtime } from '../ports/runtime.ts';
import { bodyText, evidenceOf } from './evidence.ts';
import { quotaExceeded, registersCharges } from './quotas.ts';
import type { CurrentRoster, RosterKeeper } from './roster-keeper.ts';

/** Throws `field-invalid` for a register that does not fit what the federation has agreed on. */
export function checkRegisters(registers: readonly Register[], settings: Settings): void {
  const fields = registers.flatMap((register, i) => [
    ...register.tokenTypes.flatMap((type, j) =>
      checkTokenType(`registers.${i}.tokenTypes.${j}`, type, settings),
    ),
    ...Object.entries(register.tableBits).flatMap(([type, bits]) =>
      checkTableBits(`registers.${i}.tableBits.${type}`, register, { type, bits }, settings),
    ),
  ]);
  if (fields.length > 0)
    throw new HitError('field-invalid', fields.map(({ field, detail }) => `${field}: ${detail}`).join('; '), {
      fields,
    });
}

function checkTokenType(field: string, type: string, { tokenTypes }: Settings): FieldError[] {
  if (Object.hasOwn(tokenTypes, type)) return [];
  return [{ field, detail: `this federation matches on ${Object.keys(tokenTypes).join(', ')}` }];
}

function checkTableBits(
  field: string,
  register: Register,
  table: { readonly type: string; readonly bits: number },
  { tokenTypes }: Settings,
): FieldError[] {
  if (!register.tokenTypes.includes(table.type))
    return [{ field, detail: 'the register does not hold this token type' }];
  const most = tokenTypes[table.type] ?? 0;
  return table.bits <= most ? [] : [{ field, detail: `at most ${most} in this federation` }];
}

/**
 * Takes over an agency's registers as they are now; `body` is the signed request that says so. Throws `field-invalid`,
 * `quota-exceeded` or `storage-failed`.
 */
export async function updateRegisters(
  deps: {
    readonly directory: Directory;
    readonly auditLog: AuditLog;
    readonly runtime: Runtime;
    readonly roster: RosterKeeper;
  },
  caller: { readonly agency: { readonly id: string }; readonly signature: CheckedSignature },
  registers: readonly Register[],
  body: Uint8Array,
): Promise<CurrentRoster> {
  checkRegisters(registers, deps.roster.current.roster.policy.settings);
  const now = deps.runtime.now();
  const appended = await deps.auditLog.append(
    now,
    {
      event: 'registers',
      agency: caller.agency.id,
      body: bodyText(body),
      evidence: evidenceOf(caller.signature),
    },
    registersCharges(caller.agency.id, now),
  );
  if (appended.type === 'exceeded') throw quotaExceeded(appended.charge, now);
  await deps.directory.setRegisters(caller.agency.id, registers);
  return deps.roster.refresh();
}

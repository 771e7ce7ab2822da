import { HitError } from '@hitmachine/protocol';
import { fileOf } from '@hitmachine/service';
import type { ImportedRegister } from '../config.ts';
import type { NotAdmitted } from '../domain/importing/admit-clients.ts';
import { admitClients } from '../domain/importing/admit-clients.ts';
import type { PreparedImport } from '../domain/importing/import-clients.ts';
import { prepareImport } from '../domain/importing/import-clients.ts';
import type { OpenedSource } from '../open-source.ts';
import type { TokenSpool } from '../ports/token-spool.ts';
import { readProtected } from '../protected-file.ts';
import { counted } from './print.ts';
import type { Terminal } from './print.ts';

/** Reads the source, and tells of every row that cannot be imported. Throws `import-invalid` when there are such. */
export async function readSource(
  directory: string,
  register: ImportedRegister,
  source: OpenedSource,
  { skipInvalid }: { readonly skipInvalid: boolean },
  spool: TokenSpool,
  terminal: Terminal,
): Promise<{ readonly prepared: PreparedImport; readonly left: NotAdmitted }> {
  const { name, counts } = source;
  const list =
    register.protected === undefined
      ? new Set<string>()
      : readProtected(fileOf(directory, register.protected.file));
  const left: NotAdmitted = { ended: 0, protected: 0, missing: 0 };
  const now = Date.now();
  const rows = admitClients(register, source.rows(), list, now, left, counts);
  const prepared = await prepareImport(register, rows, now, spool);
  for (const { line, reason } of prepared.bad.toSorted((a, b) => a.line - b.line))
    terminal.err(`${name}:${counts === 'line' ? '' : ' row '}${line}: ${reason}\n`);
  if (left.missing > 0)
    terminal.err(
      `${register.protected?.file ?? ''}: ${counted(left.missing, 'reference')} that ${name} does not have: look whether they are written as there\n`,
    );
  const bad = prepared.badRows;
  if (bad > prepared.bad.length) terminal.err(`and ${bad - prepared.bad.length} more\n`);
  if (bad > 0 && !skipInvalid)
    throw new HitError(
      'import-invalid',
      `${bad} of ${counted(bad + prepared.clients + prepared.repeated, 'row')} cannot be imported, so nothing was changed. ` +
        'Correct them, or import the others with --skip-invalid.',
    );
  if (prepared.badProtected !== undefined)
    throw new HitError(
      'import-invalid',
      `${name}: ${counts} ${prepared.badProtected}: the client may be protected (it says so, or that cannot be read), so the row cannot be left out: another row of this person would match. Correct it; nothing was changed`,
    );
  if (bad > 0 && prepared.clients === 0)
    throw new HitError('import-invalid', 'none of the rows can be imported, so nothing was changed');
  return { prepared, left };
}

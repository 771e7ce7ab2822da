import { SqliteAuditLog } from '../adapters/sqlite/audit-log.ts';
import { openDatabase } from '../adapters/sqlite/database.ts';
import { SqliteDirectory } from '../adapters/sqlite/directory.ts';
import { SqliteNonces } from '../adapters/sqlite/nonces.ts';
import type { AuditLog } from '../ports/audit-log.ts';
import type { Directory } from '../ports/directory.ts';
import type { Nonces } from '../ports/nonces.ts';

/** The stores of a gateway. */
export interface GatewayStore {
  readonly directory: Directory;
  readonly auditLog: AuditLog;
  readonly nonces: Nonces;
  close(): void;
}

/** Opens the SQLite database of a gateway. Throws `storage-failed`. */
export function openStore(path: string): GatewayStore {
  const durable = openDatabase(path, { durable: true });
  const quick = openDatabase(path, { durable: false });
  return {
    directory: new SqliteDirectory(durable),
    auditLog: new SqliteAuditLog(durable),
    nonces: new SqliteNonces(quick),
    close() {
      quick.close();
      durable.close();
    },
  };
}

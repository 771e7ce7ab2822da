import { HitError } from '@hitmachine/protocol';
import { fileOf, postgresUrlComplaint } from '@hitmachine/service';
import type { ColumnOptions } from './adapters/sources/columns.ts';
import { csvClients } from './adapters/sources/csv-source.ts';
import type { SourceBytes } from './adapters/sources/file-bytes.ts';
import { fileBytes, streamBytes } from './adapters/sources/file-bytes.ts';
import { jsonLinesClients } from './adapters/sources/json-lines-source.ts';
import { sqlClients } from './adapters/sources/sql-source.ts';
import type { ImportedRegister } from './config.ts';
import { readSecretFile } from './directory.ts';
import type { ClientRow } from './ports/client-source.ts';

/** A source, opened: how messages call it, and its rows. */
export interface OpenedSource {
  readonly name: string;
  /** What its rows are numbered by. */
  readonly counts: 'line' | 'row';
  rows(): AsyncIterable<ClientRow>;
}

/** Where else than in the source of the register its clients are read from: a file, or `-` for a stream. */
export interface SourceOverride {
  readonly file?: string | undefined;
  readonly stream?: AsyncIterable<Uint8Array | string> | undefined;
  readonly ignoreUnknownColumns?: boolean | undefined;
}

/**
 * The source of a register: the one that agent.yaml gives it, or another place for the same kind of file. Throws
 * `config-invalid` with the setting and the cure, also when there is none.
 */
export function openSource(
  directory: string,
  register: ImportedRegister,
  override: SourceOverride = {},
): OpenedSource {
  const { source } = register;
  const { file, stream } = override;
  if (source?.push !== undefined)
    throw new HitError(
      'config-invalid',
      `${register.id} is pushed to (source: { push: {} } in agent.yaml): an import would put an end to what was pushed; use the API, or give it another source`,
    );
  const options: ColumnOptions = {
    ...(source?.sql !== undefined && file !== undefined ? {} : source),
    ...(override.ignoreUnknownColumns === true && { ignoreUnknownColumns: true }),
    tokenTypes: register.tokenTypes,
    needsReference: register.protected !== undefined,
  };
  if (file !== undefined) {
    const bytes = file === '-' ? streamBytes(needStream(stream)) : fileBytes(file);
    const isJson = source?.jsonLines !== undefined || source?.stdin?.format === 'jsonLines';
    return textSource(bytes, isJson || /\.(jsonl|ndjson)$/i.test(file), options, textOptions(register));
  }
  if (source === undefined)
    throw new HitError(
      'config-invalid',
      `registers: ${register.id} has no source in agent.yaml; give it one, or name a file: hit-agent import FILE --register ${register.id}`,
    );
  if (source.stdin !== undefined)
    return textSource(
      streamBytes(needStream(stream)),
      source.stdin.format === 'jsonLines',
      options,
      source.stdin,
    );
  const named = source.csv ?? source.jsonLines;
  if (named !== undefined)
    return textSource(
      fileBytes(fileOf(directory, named.file)),
      source.jsonLines !== undefined,
      options,
      textOptions(register),
    );
  return sqlSource(directory, register, options);
}

function textOptions({ source }: ImportedRegister) {
  return {
    delimiter: source?.csv?.delimiter ?? source?.stdin?.delimiter ?? 'auto',
    encoding: (source?.csv ?? source?.jsonLines ?? source?.stdin)?.encoding ?? 'auto',
  };
}

function textSource(
  bytes: SourceBytes,
  isJson: boolean,
  options: ColumnOptions,
  form: ReturnType<typeof textOptions>,
): OpenedSource {
  return {
    name: bytes.name,
    counts: 'line',
    rows: () =>
      isJson ? jsonLinesClients(bytes, { ...options, ...form }) : csvClients(bytes, { ...options, ...form }),
  };
}

function sqlSource(directory: string, register: ImportedRegister, options: ColumnOptions): OpenedSource {
  const { sql } = register.source ?? {};
  if (sql === undefined) throw new HitError('internal');
  const name = `the query of ${register.id}`;
  const file = fileOf(directory, sql.urlFile);
  const url = readSecretFile(file, 'write the address of the database into it, and run: chmod 600')
    .toString('utf8')
    .trim();
  const complaint = postgresUrlComplaint(url);
  if (complaint !== undefined) throw new HitError('config-invalid', `${file}: ${complaint}`);
  return { name, counts: 'row', rows: () => sqlClients({ ...options, ...sql, name, url }) };
}

function needStream(stream: SourceOverride['stream']): AsyncIterable<Uint8Array | string> {
  if (stream !== undefined) return stream;
  throw new HitError('config-invalid', 'standard input: this source is read by "hit-agent import" alone');
}

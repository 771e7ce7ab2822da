import { join } from 'node:path';
import type { Secret } from '@hitmachine/protocol';
import { HitError, createSuite, keysFingerprint, loadSodium } from '@hitmachine/protocol';
import { fileOf } from '@hitmachine/service';
import { sealedSpool } from '../adapters/files/sealed-spool.ts';
import { sqliteEntryCache } from '../adapters/sqlite/entry-cache.ts';
import { sqliteKeptBatches } from '../adapters/sqlite/kept-batches.ts';
import { sqliteHandedOverContent } from '../adapters/sqlite/handed-over-content.ts';
import { workerPseudonymMaker } from '../adapters/workers/pseudonym-maker.ts';
import { GatewayPatience } from '../domain/importing/gateway-patience.ts';
import { handOverClients } from '../domain/importing/hand-over-clients.ts';
import { refuseShrinking } from '../domain/importing/import-clients.ts';
import type { HandOverConfig } from '../hand-over-config.ts';
import { handOverFile, readHandOverConfig } from '../hand-over-config.ts';
import { readHandOverKey } from '../open-hand-overs.ts';
import { openServingAgent } from '../open-serving-agent.ts';
import type { ServingAgent } from '../ports/serving-agent.ts';
import { secureRandom } from '../random.ts';
import { openSource } from '../open-source.ts';
import { onRuntime } from '../runtime-backend.ts';
import type { ImportOptions } from './import.ts';
import { progressTo, waitingTo } from './import-progress.ts';
import { counted } from './print.ts';
import type { Terminal } from './print.ts';
import { readSource } from './read-source.ts';

export type HandOverOptions = Omit<ImportOptions, 'cache'>;

/** As shells know it: a program that was told to stop by Ctrl-C. */
const INTERRUPTED = 130;

/**
 * `hit-agent hand-over`: an import on a machine of the agency where the source lies, which has no key of the agency. What
 * the source has becomes the register's whole content at the serving agent, or nothing changes. Gives the exit code.
 */
export async function handOver(
  directory: string,
  file: string | undefined,
  options: HandOverOptions,
  terminal: Terminal,
  stopped: AbortSignal = new AbortController().signal,
): Promise<number> {
  const place = handOverFile(directory);
  const config = readHandOverConfig(place);
  const own = config.registers.find(({ id }) => id === options.register);
  if (own === undefined)
    throw new HitError(
      'unknown-register',
      `--register: ${place} has no register ${options.register}; it has ${config.registers.map(({ id }) => id).join(', ')}`,
    );
  const key = readHandOverKey(fileOf(directory, config.keyFile));
  const serving = openServingAgent(directory, config, key);
  try {
    return await toAgent(
      serving.agent,
      { directory, place, config, own, key },
      file,
      options,
      terminal,
      stopped,
    );
  } finally {
    await serving.close();
  }
}

interface Place {
  readonly directory: string;
  readonly place: string;
  readonly config: HandOverConfig;
  readonly own: HandOverConfig['registers'][number];
  readonly key: Secret<string>;
}

async function toAgent(
  agent: ServingAgent,
  { directory, place, config, own, key }: Place,
  file: string | undefined,
  options: HandOverOptions,
  terminal: Terminal,
  stopped: AbortSignal,
): Promise<number> {
  const content = await agent.content(own.id);
  const named = keysFingerprint(content.evaluationKey);
  if (!config.evaluationKeys.includes(named))
    throw new HitError(
      'key-changed',
      `${place}: evaluationKeys does not have the key that the serving agent names, ${named}, so nothing was made with it. ` +
        "Ask the gateway's operator (hit-gateway keys show); write it there if it is the same",
    );
  const register = { ...own, tokenTypes: [...content.tokenTypes], maxShrink: content.maxShrink };
  const source = openSource(directory, register, {
    file,
    stream: process.stdin,
    ignoreUnknownColumns: options.ignoreUnknownColumns,
  });
  const cacheFolder = fileOf(directory, config.cache);
  const spool = sealedSpool(directory);
  const cache = sqliteEntryCache(cacheFolder, own.id);
  const handedOver = sqliteHandedOverContent(cacheFolder, own.id);
  const kept = sqliteKeptBatches(join(directory, `import-${own.id}.sqlite`), Date.now());
  try {
    const { prepared, left } = await readSource(directory, register, source, options, spool, terminal);
    stopped.throwIfAborted();
    const held = content.base === null ? undefined : content.clients;
    if (!options.allowShrink) refuseShrinking(register, held, prepared.clients);
    const waitMs = options.wait * 1_000;
    const change = await handOverClients(
      {
        suite: createSuite('voprf', onRuntime(await loadSodium())),
        ...{ agent, key, cache, kept, handedOver, stopped },
        random: secureRandom,
        startMaker: (keys) => workerPseudonymMaker(keys),
        patience: new GatewayPatience({
          stopped,
          patienceMs: waitMs,
          waiting: waitingTo(terminal, options.progress, own.id, waitMs),
        }),
      },
      own.id,
      prepared,
      content,
      { allowShrink: options.allowShrink, dryRun: options.dryRun },
      progressTo(terminal, options.progress, own.id),
    );
    const { clients, repeated, badRows: skipped } = prepared;
    const result = { register: own.id, clients, repeated, skipped, difference: change ?? null };
    const { ended, protected: isProtected } = left;
    terminal.out(
      options.json
        ? JSON.stringify({ ...result, ended, protected: isProtected })
        : `${own.id}: ${counted(clients, 'client')} to hand over; ${ended} ended and ${isProtected} protected left out.\n` +
            (change === undefined
              ? 'All of them are sent: the serving agent holds what this machine did not hand over.'
              : `Identifiers: ${change.added} added, ${change.removed} removed, ${change.unchanged} unchanged.`) +
            (options.dryRun ? '\nThis is what would be: nothing was changed.' : ''),
    );
    return 0;
  } catch (error) {
    if (!stopped.aborted) throw error;
    terminal.err(
      `\nhit-agent: stopped; ${own.id} is as it was, or wholly as handed over. What was evaluated is kept (sealed, in ${kept.place}): ` +
        'the same command goes on from there.\n',
    );
    return INTERRUPTED;
  } finally {
    spool.close();
    cache.close();
    handedOver.close();
    kept.close();
  }
}

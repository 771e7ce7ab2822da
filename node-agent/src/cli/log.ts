import { HitError, decodeHex, encodeBase64 } from '@hitmachine/protocol';
import { sqliteAgencyLog } from '../adapters/sqlite/agency-log.ts';
import { openAgent } from '../open-agent.ts';
import type { AgencyEvent, AnsweredDetail, LoggedEvent } from '../ports/agency-log.ts';
import { secureRandom } from '../random.ts';
import { counted, word } from './print.ts';
import type { Terminal } from './print.ts';

export interface LogOptions {
  /** The number of the entry after which to begin. */
  readonly after: number;
  readonly limit: number;
  readonly json: boolean;
}

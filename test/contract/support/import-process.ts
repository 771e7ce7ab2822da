/**
 * Imports a register in a process of its own, which a test kills: FOLDER SEED PSEUDONYMS. Says "gathered" when nothing is
 * left to do but the commit.
 */
import { join } from 'node:path';
import { openSqlite } from '../../../node-agent/src/adapters/sqlite/agent-database.ts';
import { sqlitePseudonymStore } from '../../../node-agent/src/adapters/sqlite/pseudonym-store.ts';
import { madeUp } from './made-up-pseudonyms.ts';

const [folder = '', seed = '', count = ''] = process.argv.slice(2);
const database = openSqlite(join(folder, 'agent.sqlite'));
const stage = await sqlitePseudonymStore(database).beginImport('zaken');
const pseudonyms = madeUp(seed, Number(count));
await stage.add('bsn', pseudonyms);
console.log('gathered');
await stage.commit(pseudonyms.length, { evaluationKey: 'a'.repeat(43), nodeKey: '' }, Date.now());
await database.close();

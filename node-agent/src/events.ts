import type { Events } from '@hitmachine/service';
import { HAND_OVER_EVENTS } from './hand-over-events.ts';

/**
 * Everything that an agent may write to its operational log: for administrators, and so without persons, professionals,
 * cases and outcomes. What was asked and answered stands in the agency's own log.
 */
export const AGENT_EVENTS = {
  listening: { at: 'info', fields: { url: 'text' }, says: 'The agent answers at this address.' },
  stopping: {
    at: 'info',
    fields: {},
    says: 'The agent takes no more questions, and finishes those that run.',
  },
  stopped: { at: 'info', fields: {}, says: 'The agent has stopped.' },
  reloaded: {
    at: 'info',
    fields: { changed: 'text' },
    says: 'Changed settings were taken in; `changed` names them.',
  },
  'reload-needs-restart': {
    at: 'warn',
    fields: { settings: 'text' },
    says: 'These settings changed and count from the next start on: restart the agent.',
  },
  'reload-refused': {
    at: 'error',
    fields: { reason: 'text' },
    says: 'The changed settings do not hold; those from before stay. Mend the file.',
  },
  'traces-not-sent': {
    at: 'warn',
    fields: { reason: 'text' },
    says: 'The collector of `telemetry.otlp` does not take traces; lookups go on, and it is tried again.',
  },
  'traces-sent-again': {
    at: 'info',
    fields: { lost: 'number' },
    says: 'The collector takes traces again; `lost` were too many to keep.',
  },
  'log-line-refused': {
    at: 'error',
    fields: { refused: 'text', reason: 'text' },
    says: 'A line of the log was left out, because nobody has described it. Tell the makers.',
  },
  'server-failed': { at: 'error', fields: { reason: 'text' }, says: 'The API of this machine has trouble.' },
  'internal-error': {
    at: 'error',
    fields: { path: 'text', stack: 'text' },
    says: 'A fault of the program. Tell the makers.',
  },
  'request-failed': {
    at: 'error',
    fields: { path: 'text', code: 'text', reason: 'text' },
    says: 'A request could not be served for a reason of this machine, such as a full disk.',
  },
  'login-failed': {
    at: 'warn',
    fields: { code: 'text', reason: 'text' },
    says: 'Logging in to the pages failed: look at `desk` in `agent.yaml` and at the identity provider.',
  },
  'refusal-not-logged': {
    at: 'error',
    fields: { reason: 'text' },
    says: 'A refused reader of the pages could not be written down.',
  },
  'gateway-connected': {
    at: 'info',
    fields: {
      ...{ connection: 'number', url: 'text', replica: 'text', problem: 'text' },
      ...{ version: 'number', program: 'text' },
    },
    says: 'A connection to the gateway stands, in this version of the connection; program is that of the gateway.',
  },
  'gateway-disconnected': {
    at: 'info',
    fields: { connection: 'number', url: 'text', replica: 'text', problem: 'text' },
    says: 'A connection to the gateway is gone; it is tried again by itself.',
  },
  'gateway-connection-moved': {
    at: 'info',
    fields: { connection: 'number', url: 'text', replica: 'text' },
    says: 'A connection goes to another process of the gateway now: two ended at one, or that one stops.',
  },
  'renewed-file-refused': {
    at: 'error',
    fields: { reason: 'text' },
    says: 'A certificate or password for the way to the gateway was renewed and cannot be used; the one from before stays in use.',
  },
  'gateway-unreachable': {
    at: 'warn',
    fields: { connection: 'number', url: 'text', problem: 'text' },
    says: 'The gateway cannot be reached, for another reason than before. `hit-agent doctor` tells more.',
  },
  'gateway-frame-refused': {
    at: 'error',
    fields: { reason: 'text' },
    says: 'The gateway sent something that this agent does not understand: compare versions.',
  },
  'clock-skew': {
    at: 'warn',
    fields: { milliseconds: 'number', replica: 'text', problem: 'text' },
    says: 'The clock of this machine differs from the gateway’s: switch NTP on.',
  },
  'question-too-late': {
    at: 'warn',
    fields: {},
    says: 'A question came when nobody waited for its answer any more, and was left: this machine or its line is too slow.',
  },
  'reply-failed': { at: 'error', fields: { reason: 'text' }, says: 'An answer could not be sent.' },
  leads: {
    at: 'info',
    fields: {},
    says: 'Of the replicas on one database this one makes tables and imports sources from now on.',
  },
  'leads-no-longer': {
    at: 'info',
    fields: {},
    says: 'Another replica makes tables and imports sources: this one could not reach the database for some seconds, hung, or could not make the tables (`upkeep-failed` says why).',
  },
  'answered-again': {
    at: 'info',
    fields: {},
    says: 'Another replica had logged this very question and was gone before its answer arrived: the same answer went out from here.',
  },
  'canary-of-replica': {
    at: 'debug',
    fields: {},
    says: 'The canary of another replica came here, which answers it itself.',
  },
  'epoch-taken-up': {
    at: 'info',
    fields: { epoch: 'number' },
    says: 'The tables that another replica made are answered from here as well.',
  },
  'session-unknown': {
    at: 'info',
    fields: {},
    says: 'A partner used a session from before a restart; it opens a new one.',
  },
  'question-rejected': {
    at: 'warn',
    fields: { code: 'text', reason: 'text' },
    says: 'A question was not answered, because it does not hold or cannot be logged.',
  },
  'question-not-sealed': {
    at: 'error',
    fields: { node: 'text', code: 'text' },
    says: 'A question to a partner could not be sealed.',
  },
  'questions-interrupted': {
    at: 'warn',
    fields: { code: 'text' },
    says: 'The gateway broke off while it passed questions on; what is missing shows as no answer.',
  },
  'reply-invalid': {
    at: 'error',
    fields: { node: 'text', code: 'text', reason: 'text' },
    says: 'A partner’s answer does not hold, and was not used.',
  },
  'ticket-invalid': {
    at: 'error',
    fields: { node: 'text', code: 'text' },
    says: 'The gateway gave a ticket for another question than was asked: call its administrator.',
  },
  'upkeep-failed': {
    at: ['debug', 'warn', 'error'],
    fields: { work: 'text', code: 'text', reason: 'text' },
    says: 'Work that is done by itself failed; it is tried again until it succeeds.',
  },
  'upkeep-recovered': { at: 'info', fields: { work: 'text' }, says: 'That work succeeds again.' },
  'keys-not-read': {
    at: 'error',
    fields: { reason: 'text' },
    says: 'The key store cannot be read any more; the keys from before stay.',
  },
  'source-imported': {
    at: 'info',
    fields: { register: 'text', milliseconds: 'number' },
    says: 'The source of a register was imported, as `schedule` or `watch` says.',
  },
  ...HAND_OVER_EVENTS,
  'pushes-applied': {
    at: 'info',
    fields: { register: 'text', added: 'number', removed: 'number' },
    says: 'What was pushed to a register is its content now; `added` and `removed` count pseudonyms.',
  },
  'pushes-not-applied': {
    at: 'error',
    fields: { register: 'text', code: 'text', reason: 'text' },
    says: 'What was pushed to a register is stored and not in its tables yet. It is tried again each minute.',
  },
  'source-refused': {
    at: 'error',
    fields: { register: 'text', code: 'text', reason: 'text' },
    says: 'A source was not imported, and the register stays as it was; it is tried again.',
  },
  'epoch-switched': {
    at: 'info',
    fields: { epoch: 'number', tables: 'number', milliseconds: 'number' },
    says: 'New tables are answered from.',
  },
  'stored-tables-refused': {
    at: 'error',
    fields: { epoch: 'number', reason: 'text' },
    says: 'The tables from before the restart are not those that were committed to; new ones are made.',
  },
  'log-entries-missing': {
    at: 'error',
    fields: { held: 'number', known: 'number' },
    says: "The gateway's log knows of entries of this agency's own log that are not there: the database is an old copy. Nothing is answered until somebody says so.",
  },
  'register-not-built': {
    at: 'error',
    fields: { register: 'text', reason: 'text' },
    says: 'A register has no tables, so it does not answer.',
  },
  'content-removed': {
    at: 'info',
    fields: { entries: 'number' },
    says: 'The content of old entries of the agency’s log was removed, as `log.retentionDays` says.',
  },
  pinned: {
    at: 'info',
    fields: { name: 'text', fingerprint: 'text' },
    says: 'Keys were seen for the first time and are held to from now on.',
  },
  'key-changed': {
    at: 'error',
    fields: { agency: 'text' },
    says: 'Keys are not those that were pinned; nothing is asked there. Call, then `hit-agent trust`.',
  },
  'budgets-changed': {
    at: 'error',
    fields: { agency: 'text' },
    says: 'The federation moved the bits that questions may show: look at them, then `hit-agent trust`.',
  },
  'key-change-announced': {
    at: 'warn',
    fields: { agency: 'text', from: 'text', fingerprint: 'text' },
    says: 'An agency announced new keys, signed with its pinned ones.',
  },
  'key-change-followed': {
    at: 'warn',
    fields: { agency: 'text', fingerprint: 'text' },
    says: 'The announced keys of an agency are in use.',
  },
  'key-change-invalid': {
    at: 'error',
    fields: { agency: 'text', from: 'text' },
    says: 'The gateway shows an announcement of keys that the agency did not sign: call both.',
  },
  'node-key-moving': {
    at: 'info',
    fields: { done: 'number', total: 'number' },
    says: 'Pseudonyms are made anew with the new node key; those from before are answered from meanwhile.',
  },
  'node-key-moved': {
    at: 'warn',
    fields: { milliseconds: 'number' },
    says: 'All pseudonyms are those of the new node key, from the next tables on.',
  },
  'former-keys-done': {
    at: 'info',
    fields: {},
    says: 'The canary came back under the new node key, and what was made with the former one is gone.',
  },
  'key-change-failed': {
    at: 'error',
    fields: { code: 'text', reason: 'text' },
    says: 'The change of keys could not go on; it is tried again in a minute, and nothing is lost.',
  },
  'register-vanished': {
    at: 'error',
    fields: { register: 'text' },
    says: 'A register is not on the roster any more. If that is right: `hit-agent trust`.',
  },
  'roster-rolled-back': {
    at: 'warn',
    fields: { version: 'number', held: 'number' },
    says: 'The gateway showed an older roster than before; it was left aside.',
  },
  'roster-forked': {
    at: 'error',
    fields: { version: 'number' },
    says: 'The gateway showed two rosters of one version: call its administrator.',
  },
  'policy-rolled-back': {
    at: 'error',
    fields: { version: 'number' },
    says: 'The gateway showed an older policy than before; it was left aside.',
  },
  'policy-forked': {
    at: 'error',
    fields: { version: 'number' },
    says: 'The gateway showed two policies of one version: call its administrator.',
  },
  'members-forked': {
    at: 'error',
    fields: { version: 'number' },
    says: 'The gateway showed two lists of members of one version: call its administrator.',
  },
  'offline-key-changed': {
    at: 'error',
    fields: { version: 'number' },
    says: 'The roster is not signed with the offline key that was pinned: call the federation.',
  },
  'members-rolled-back': {
    at: 'error',
    fields: { version: 'number' },
    says: 'The gateway showed an older list of members than before; it was left aside.',
  },
  'policy-changed': {
    at: 'info',
    fields: { version: 'number' },
    says: 'A new version of the federation’s policy is in force.',
  },
  'node-policy-taken': { at: 'info', fields: {}, says: 'The changed policy.yaml counts from now on.' },
  'node-policy-refused': {
    at: 'error',
    fields: { reason: 'text' },
    says: 'The changed policy.yaml does not hold; the one from before stays. Mend the file.',
  },
  signal: {
    at: 'warn',
    fields: { signal: 'text', side: 'text', agency: 'text', count: 'number' },
    says: 'Asking stands out; see the signals of the example policies.',
  },
  'notice-not-sent': {
    at: 'warn',
    fields: { notice: 'text', code: 'text' },
    says: 'A notice to the gateway was not taken; it is sent again.',
  },
  'checkpoint-refused': {
    at: ['warn', 'error'],
    fields: { code: 'text', status: 'number', reason: 'text' },
    says: 'A checkpoint of the gateway’s log was not taken.',
  },
  'checkpoint-not-cosigned': {
    at: 'error',
    fields: { code: 'text', reason: 'text' },
    says: 'A checkpoint of the gateway’s log could not be cosigned.',
  },
  'checkpoint-not-kept': {
    at: 'warn',
    fields: { size: 'number', from: 'text' },
    says: 'Too many checkpoints wait to be compared; this one was left.',
  },
  'checkpoint-not-compared': {
    at: 'error',
    fields: { reason: 'text' },
    says: 'A checkpoint could not be compared with what was seen before; it is tried again.',
  },
  'consistency-not-shown': {
    at: 'warn',
    fields: { old: 'number', new: 'number', code: 'text' },
    says: 'The gateway did not show that its log only grew; it is asked again.',
  },
  'log-doubted': {
    at: 'warn',
    fields: { kind: 'text', detail: 'text' },
    says: 'What the gateway shows of its log does not fit; it gets some minutes to show better.',
  },
  'log-inconsistent': {
    at: 'error',
    fields: { kind: 'text', detail: 'text' },
    says: 'The gateway’s log contradicts itself: nothing is asked or answered. See `hit-agent log alarms`.',
  },
  'log-trusted': {
    at: 'info',
    fields: { size: 'number' },
    says: 'An administrator went on with the gateway’s log.',
  },
  'alarm-not-stored': {
    at: 'error',
    fields: { reason: 'text' },
    says: 'The evidence of an alarm could not be stored; it is tried again.',
  },
  'entry-missing': {
    at: 'error',
    fields: { lookupId: 'text', detail: 'text' },
    says: 'A lookup of this agency is not in the gateway’s log. See `hit-agent log alarms`.',
  },
  'entry-differs': {
    at: 'error',
    fields: { lookupId: 'text', detail: 'text' },
    says: 'The gateway’s log tells a lookup of this agency otherwise. See `hit-agent log alarms`.',
  },
  'receipt-invalid': {
    at: 'error',
    fields: { lookupId: 'text', reason: 'text' },
    says: 'A receipt of the gateway proves nothing; it is asked for again.',
  },
  'lookup-not-settled': {
    at: 'warn',
    fields: { code: 'text', reason: 'text' },
    says: 'A lookup still waits for its receipt.',
  },
} as const satisfies Events;

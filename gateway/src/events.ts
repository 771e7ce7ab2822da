import type { Events } from '@hitmachine/service';

/**
 * Everything that a gateway may write to its operational log: for whoever runs it. What an auditor needs is in the
 * audit log. Never a body, a signature, a token or anything about a person.
 */
export const GATEWAY_EVENTS = {
  listening: { at: 'info', fields: { url: 'text' }, says: 'The gateway takes requests at this address.' },
  'metrics-listening': { at: 'info', fields: { url: 'text' }, says: 'Metrics can be read at this address.' },
  reloaded: {
    at: 'info',
    fields: { changed: 'text' },
    says: 'Changed settings were taken in; `changed` names them.',
  },
  'reload-needs-restart': {
    at: 'warn',
    fields: { settings: 'text' },
    says: 'These settings changed and count from the next start on: restart the gateway.',
  },
  'reload-refused': {
    at: 'error',
    fields: { reason: 'text' },
    says: 'The changed settings do not hold; those from before stay. Mend the file.',
  },
  'renewed-file-refused': {
    at: 'error',
    fields: { reason: 'text' },
    says: 'A certificate or key of `tls` in gateway.yaml was renewed and cannot be used; the one from before stays in use.',
  },
  'evaluation-key-taken': {
    at: 'info',
    fields: { key: 'text' },
    says: 'The key store has a new evaluation key, which this process holds from now on; the roster tells whether it is in force. `key` is the fingerprint of its public half.',
  },
  'evaluation-key-forgotten': {
    at: 'info',
    fields: { key: 'text' },
    says: 'The evaluation key before is gone from the key store, and from this process. `key` is the fingerprint of the public half of the one that is left.',
  },
  'held-keys-not-told': {
    at: 'error',
    fields: { err: 'error' },
    says: 'Which evaluation keys this process holds cannot be written to the database; it is tried again. After twenty seconds it counts as gone, and is not waited for when a new one is put in force.',
  },
  'quotient-given': {
    at: 'info',
    fields: { agency: 'text', times: 'number' },
    says: 'An agency was given what takes its pseudonyms to the evaluation key in force; `times`: how often so far. At most one line a minute and agency.',
  },
  'keystore-needs-restart': {
    at: 'warn',
    fields: {},
    says: 'The key store has other keys than this process, and more than a new evaluation key: what it holds counts until the next start. Restart the gateway, or put the right file back.',
  },
  'keystore-refused': {
    at: 'error',
    fields: { reason: 'text' },
    says: 'The key store was changed and cannot be read; the keys from before stay in use. Mend the file.',
  },
  stopping: { at: 'info', fields: {}, says: 'No new requests are taken; those that run are finished.' },
  stopped: { at: 'info', fields: {}, says: 'The gateway has stopped.' },
  'log-line-refused': {
    at: 'error',
    fields: { refused: 'text', reason: 'text' },
    says: 'A line of the log was left out, because nobody has described it. Tell the makers.',
  },
  request: {
    at: 'info',
    fields: {
      requestId: 'text',
      agency: 'text',
      method: 'text',
      // The pattern of the route, not the address: `/v1/lookups/{lookupId}/questions`.
      route: 'text',
      status: 'number',
      code: 'text',
      ms: 'number',
    },
    says: 'A request was answered.',
  },
  'request-failed': {
    at: 'error',
    fields: { requestId: 'text', code: 'text', err: 'error' },
    says: 'A request could not be served for a reason of this machine: look at disk, PostgreSQL and Redis.',
  },
  'authentication-refused': {
    at: 'warn',
    fields: { agency: 'text', code: 'text' },
    says: 'A request was not signed as it should be; `clock-skew` is a wrong clock at the agency.',
  },
  'enrolment-refused': {
    at: 'warn',
    fields: { agency: 'text', reason: 'text' },
    says: 'Somebody tried to enrol with a token that is unknown, used or too old.',
  },
  'roster-changed': {
    at: 'info',
    fields: { rosterVersion: 'number' },
    says: 'There is a new roster, and agents were told.',
  },
  'directory-not-read': {
    at: 'error',
    fields: { err: 'error' },
    says: 'Who takes part cannot be read from the database; it is tried again.',
  },
  'connection-opened': {
    at: 'info',
    fields: { agency: 'text', version: 'number' },
    says: 'An agent is connected, and this is the version of the connection that both speak.',
  },
  'agent-introduced': {
    at: 'info',
    fields: { agency: 'text', program: 'text' },
    says: 'The version of the program of an agent that is connected: who has to be upgraded before an old version of the connection can go.',
  },
  'connection-closed': {
    at: ['info', 'warn'],
    fields: { agency: 'text', status: 'number', reason: 'text', err: 'error' },
    says: 'The connection of an agent is gone; the agent opens a new one.',
  },
  'connection-refused': {
    at: 'warn',
    fields: { agency: 'text', code: 'text' },
    says: 'An agent was not let in.',
  },
  'frame-refused': {
    at: 'warn',
    fields: { agency: 'text', reason: 'text' },
    says: 'An agent sent something that the gateway does not understand: compare versions.',
  },
  'answer-not-logged': {
    at: 'error',
    fields: { agency: 'text', err: 'error' },
    says: 'An answer could not be logged, so it was not passed on.',
  },
  'refusal-not-logged': {
    at: 'error',
    fields: { agency: 'text', err: 'error' },
    says: 'A refusal could not be logged; it is written with the next one.',
  },
  'signal-not-logged': {
    at: 'error',
    fields: { agency: 'text', err: 'error' },
    says: 'A signal could not be logged.',
  },
  'quotas-away': {
    at: 'error',
    fields: {},
    says: 'Redis, where quotas are counted, is away: lookups are refused until it is back.',
  },
  'quotas-there': { at: 'info', fields: {}, says: 'Redis is back.' },
  'replicas-away': {
    at: 'error',
    fields: { err: 'error' },
    says: 'Redis, where the replicas of the gateway find each other, is away: questions reach only agents that are connected to this one.',
  },
  'replicas-there': { at: 'info', fields: {}, says: 'The replicas find each other again.' },
  'link-opened': {
    at: 'info',
    fields: { replica: 'text', version: 'text' },
    says: 'There is a way to another replica, and this is the version that both speak.',
  },
  'link-closed': {
    at: ['warn', 'error'],
    fields: { replica: 'text', reason: 'text', err: 'error' },
    says: 'The way to another replica broke or cannot be opened: it went away, or a firewall is between the two.',
  },
  'link-refused': {
    at: 'warn',
    fields: {},
    says: 'Somebody without the keys of this gateway called the port for other replicas: it should be closed to all but those.',
  },
  'witness-refused': {
    at: 'error',
    fields: { agency: 'text', reason: 'text' },
    says: 'An agency’s agent refused to cosign the log: call it. It may have seen another log.',
  },
  'checkpoint-not-published': {
    at: 'error',
    fields: { agency: 'text', err: 'error' },
    says: 'A checkpoint of the log could not be published or cosigned; it is tried again.',
  },
  'login-failed': {
    at: 'warn',
    fields: { requestId: 'text', code: 'text', err: 'error' },
    says: 'An auditor could not log in: look at `console` in `gateway.yaml` and at the identity provider.',
  },
} as const satisfies Events;

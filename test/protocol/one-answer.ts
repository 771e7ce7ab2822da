import type { Answer } from '@hitmachine/protocol';
import { readAnswer } from '@hitmachine/protocol';
import type { RegisterModel } from './parties.ts';
import {
  NODE,
  answerOf,
  askedQuestion,
  buildEpoch,
  evaluateLookup,
  ticketFor,
  tokensOfPerson,
} from './parties.ts';
import { suite } from './support.ts';

/** One lookup of two persons at two registers of one node, with its question, ticket and answer. */
export const REGISTERS: readonly RegisterModel[] = [
  { register: 'a', tokenTypes: ['bsn', 'skn'], clients: [{ bsn: '1', skn: 'x' }] },
  { register: 'b', tokenTypes: ['bsn'], clients: [{ bsn: '2' }] },
];
export const PERSONS = [{ bsn: '1', skn: 'x' }, { bsn: '2' }];
export const lookup = evaluateLookup(suite, PERSONS.map(tokensOfPerson));
export const epoch = buildEpoch(suite, REGISTERS, 1);
export const question = askedQuestion(lookup, REGISTERS, () => 0);
export const ticket = ticketFor(lookup, ['a', 'b']);
export type Answered = Extract<Answer, { type: 'answered' }>;
export const answer = answerOf(suite, epoch, ticket, question);
export const read = (changed: Answered): unknown =>
  readAnswer(suite, lookup, NODE, question, changed, epoch.committed);

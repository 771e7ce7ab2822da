export type { Credentials } from './access-token.ts';
export type { AskOptions, ClientOptions } from './client.ts';
export { HitmachineClient, NoAnswerError, ProblemError } from './client.ts';
export type {
  Answer,
  AnswerLine,
  Bilingual,
  NotAsked,
  Person,
  Problem,
  Question,
  RegisterResult,
} from './messages.ts';

import type { ErrorCode } from '@hitmachine/protocol';
import type { Html, ProblemTexts } from '@hitmachine/web';
import { problemPage as page } from '@hitmachine/web';
import { PATHS } from '../paths.ts';
import type { Texts } from '../texts/nl.ts';

/** Problems that have a page of their own. */
export type ProblemKind = Exclude<keyof Texts['problems'], keyof ProblemTexts>;

/** The page for an error; what nobody foresaw, or what says nothing to a reader, is `internal`. */
export function problemKindOf(errorCode: ErrorCode): ProblemKind {
  switch (errorCode) {
    case 'not-allowed':
    case 'unauthorised':
    case 'not-found':
    case 'storage-failed':
    case 'not-ready':
    case 'field-invalid':
      return errorCode;
    default:
      return 'internal';
  }
}

/** An error as a page: what happened, and what the reader can do. */
export function problemPage(
  texts: Texts,
  kind: ProblemKind,
  { requestId, loggedIn }: { readonly requestId: string; readonly loggedIn: boolean },
): Html {
  const telling = kind === 'internal' || kind === 'storage-failed' || kind === 'processing-log';
  return page(texts.problems, texts.problems[kind], {
    loggedIn,
    again: kind === 'not-allowed' || kind === 'unauthorised',
    paths: { login: PATHS.login, start: PATHS.search, home: PATHS.home },
    requestId: telling ? requestId : undefined,
  });
}

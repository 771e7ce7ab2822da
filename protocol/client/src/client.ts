import type { Credentials } from './access-token.ts';
import { AccessToken } from './access-token.ts';
import type { Answer, AnswerLine, Problem, Question } from './messages.ts';

/** Where the agency's agent is, and how to get in: with the key of the agent, or as a client of the agency's server. */
export type ClientOptions = { readonly agentUrl: string } & (
  { readonly apiKey: string } | { readonly credentials: Credentials }
);

/** A question with how it is sent. */
export interface AskOptions {
  /**
   * A random text of at least 16 characters, such as a UUID, that you keep with the question: sent again after a failure it
   * asks nobody a second time. One is made when it is left out, and then protects the tries of this call alone.
   */
  readonly idempotencyKey?: string;
  readonly signal?: AbortSignal;
}

/** The agent refused, in its own words. */
export class ProblemError extends Error {
  readonly problem: Problem;
  /** Seconds after which trying again makes sense. */
  readonly retryAfter: number | undefined;

  constructor(problem: Problem, retryAfter?: number) {
    super(`${problem.code}: ${problem.detail}`);
    this.name = 'ProblemError';
    this.problem = problem;
    this.retryAfter = retryAfter;
  }
}

/** The agent could not be reached, or the answer was cut off: nothing is known of what it would have been. */
export class NoAnswerError extends Error {
  constructor(message: string, cause?: unknown) {
    super(message, { cause });
    this.name = 'NoAnswerError';
  }
}

/** Tries of one question when the agent cannot be reached, and milliseconds between them. */
const TRIES = 3;
const PAUSE_MS = 500;

/**
 * Asks an agency's own agent which registers know a person.
 *
 * @example
 * const client = new HitmachineClient({ agentUrl, credentials });
 * const answer = await client.ask({ purpose, caseReference, professional, role, statements, persons: [{ bsn }] });
 */
export class HitmachineClient {
  readonly #agentUrl: string;
  readonly #bearer: () => Promise<string>;
  readonly #refused: () => void;

  constructor(options: ClientOptions) {
    this.#agentUrl = options.agentUrl;
    if ('apiKey' in options) {
      this.#bearer = () => Promise.resolve(options.apiKey);
      this.#refused = () => undefined;
    } else {
      const token = new AccessToken(options.credentials);
      this.#bearer = () => token.get();
      this.#refused = () => token.forget();
    }
  }

  /** The whole answer. Rejects with {@link ProblemError} or {@link NoAnswerError}. */
  async ask(question: Question, options: AskOptions = {}): Promise<Answer> {
    const response = await this.#post(question, options, 'application/json');
    try {
      return (await response.json()) as Answer;
    } catch (cause) {
      throw new NoAnswerError('the answer was cut off; ask again with the same idempotencyKey', cause);
    }
  }

  /** The answers of the registers as they come in, the last line an `end`. Throws as {@link ask} does. */
  async *askStreaming(question: Question, options: AskOptions = {}): AsyncGenerator<AnswerLine> {
    const response = await this.#post(question, options, 'application/x-ndjson');
    for await (const line of linesOf(response)) {
      const parsed = JSON.parse(line) as AnswerLine;
      if (parsed.type === 'problem') throw new ProblemError(parsed.problem);
      yield parsed;
      if (parsed.type === 'end') return;
    }
    throw new NoAnswerError('the answer was cut off; ask again with the same idempotencyKey');
  }

  /** Purposes with what has to be shown and confirmed, and the agencies with their registers. */
  async roster(signal?: AbortSignal): Promise<unknown> {
    const response = await this.#send('/v1/roster', { method: 'GET', ...(signal && { signal }) });
    return response.json();
  }

  #post(
    question: Question,
    { idempotencyKey = crypto.randomUUID(), signal }: AskOptions,
    accept: string,
  ): Promise<Response> {
    return this.#send('/v1/lookups', {
      method: 'POST',
      headers: { 'content-type': 'application/json', accept, 'idempotency-key': idempotencyKey },
      body: JSON.stringify(question),
      ...(signal && { signal }),
    });
  }

  async #send(
    path: string,
    init: RequestInit & { readonly headers?: Record<string, string> },
  ): Promise<Response> {
    for (let tries = 1; ; tries++) {
      const authorization = `Bearer ${await this.#bearer()}`;
      const request = fetch(new URL(path, this.#agentUrl), {
        ...init,
        headers: { ...init.headers, authorization },
      });
      const reached = await request.then(
        (response) => ({ response }),
        (cause: unknown) => ({ cause }),
      );
      if ('response' in reached) {
        const { response } = reached;
        if (response.ok) return response;
        if (response.status !== 401 || tries > 1) throw await problemOf(response);
        // Once: the token may have been withdrawn.
        this.#refused();
        continue;
      }
      if (init.signal?.aborted === true) throw reached.cause;
      if (tries >= TRIES)
        throw new NoAnswerError(`the agent at ${this.#agentUrl} cannot be reached`, reached.cause);
      await new Promise<void>((resolve) => {
        setTimeout(resolve, PAUSE_MS * tries);
      });
    }
  }
}

async function problemOf(response: Response): Promise<Error> {
  try {
    const retryAfter = Number(response.headers.get('retry-after') ?? NaN);
    return new ProblemError((await response.json()) as Problem, retryAfter > 0 ? retryAfter : undefined);
  } catch (cause) {
    return new NoAnswerError(`the agent answered with status ${response.status} and no reason`, cause);
  }
}

async function* linesOf({ body }: Response): AsyncGenerator<string> {
  if (body === null) return;
  let rest = '';
  const decoder = new TextDecoder();
  try {
    for await (const chunk of body) {
      const lines = (rest + decoder.decode(chunk as Uint8Array, { stream: true })).split('\n');
      rest = lines.pop() ?? '';
      yield* lines.filter((line) => line !== '');
    }
  } catch (cause) {
    throw new NoAnswerError('the answer was cut off; ask again with the same idempotencyKey', cause);
  }
}

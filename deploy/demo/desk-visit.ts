import { CASE, PURPOSE, STATEMENTS } from './lookup.ts';
import type { Resident } from './population/index.ts';
import { DemoError } from './processes.ts';

const PATIENCE_MS = 20_000;
/** Pages that a login leads over, and no more. */
const MAX_STEPS = 12;

/** Somebody at the desk without a browser: pages, forms and cookies. */
class Visitor {
  readonly #cookies = new Map<string, string>();

  /** Follows every redirect; gives where it ended and what stands there. */
  async go(
    url: string,
    form?: Readonly<Record<string, string | readonly string[]>>,
  ): Promise<{ readonly url: string; readonly text: string }> {
    let at = url;
    let body = form === undefined ? undefined : encode(form);
    for (let step = 0; step < MAX_STEPS; step++) {
      const response = await fetch(at, {
        redirect: 'manual',
        headers: { cookie: this.#cookiesFor(at), origin: new URL(at).origin },
        ...(body !== undefined && { method: 'POST', body }),
        signal: AbortSignal.timeout(PATIENCE_MS),
      });
      for (const line of response.headers.getSetCookie()) this.#keep(at, line);
      const next = response.headers.get('location');
      if (next === null) return { url: at, text: await response.text() };
      at = new URL(next, at).href;
      body = undefined;
    }
    throw new DemoError(`${url} leads from page to page without an end`);
  }

  #keep(url: string, line: string): void {
    const [, name = '', value = ''] = /^([^=]+)=([^;]*)/.exec(line) ?? [];
    this.#cookies.set(`${new URL(url).host} ${name}`, value);
  }

  #cookiesFor(url: string): string {
    const own = `${new URL(url).host} `;
    return [...this.#cookies]
      .filter(([key, value]) => key.startsWith(own) && value !== '')
      .map(([key, value]) => `${key.slice(own.length)}=${value}`)
      .join('; ');
  }
}

function encode(form: Readonly<Record<string, string | readonly string[]>>): URLSearchParams {
  const body = new URLSearchParams();
  for (const [name, values] of Object.entries(form))
    for (const value of [values].flat()) body.append(name, value);
  return body;
}

/**
 * Logs in at the desk and asks about a person, as a professional does: the form, a look at who will be asked, the answers.
 * Gives how many registers know the person and the milliseconds from the question to the whole answer. Throws `DemoError`
 * when a page is not what it should be.
 */
export async function visitDesk(
  baseUrl: string,
  login: string,
  person: Resident,
): Promise<{ readonly known: number; readonly milliseconds: number }> {
  const visitor = new Visitor();
  const asked = await visitor.go(`${baseUrl}/desk/login`);
  const arrived = await visitor.go(asked.url, { prompt: 'login', login, password: 'any' });
  if (arrived.url !== `${baseUrl}/desk/ask`)
    throw new DemoError(`the login at the desk ended at ${arrived.url}`);
  const form = await visitor.go(`${baseUrl}/desk/ask?purpose=${PURPOSE}`);
  const fields = {
    key: hidden(form.text, 'key'),
    purpose: PURPOSE,
    persons: '1',
    caseReference: CASE,
    statements: STATEMENTS,
    'p0-bsn': person.bsn,
  };
  const look = await visitor.go(`${baseUrl}/desk/ask`, { ...fields, action: 'check' });
  if (!look.text.includes('value="send"')) throw new DemoError('the desk does not let the question be asked');
  const started = performance.now();
  const answers = await visitor.go(`${baseUrl}/desk/ask`, { ...fields, action: 'send' });
  const milliseconds = performance.now() - started;
  if (!answers.text.includes('hit-finished'))
    throw new DemoError(`the desk showed no answers: ${answers.url}`);
  return { known: answers.text.split('hit-status-known').length - 1, milliseconds };
}

function hidden(page: string, name: string): string {
  const [, value] = new RegExp(`name="${name}" value="([^"]+)"`).exec(page) ?? [];
  if (value === undefined) throw new DemoError(`a form of the desk has no ${name}`);
  return value;
}

import type { Policy } from '@hitmachine/protocol';
import { HitError, purposeOf, tokenTypesFor } from '@hitmachine/protocol';
import type { Html, ReaderSession } from '@hitmachine/web';
import { html, languageOf, message, queryOf, readSession } from '@hitmachine/web';
import type { Context } from 'hono';
import { ASK_FORM, askPage, loggedOutNotice } from '../../desk/pages/ask.ts';
import { failureText } from '../../desk/pages/answers.ts';
import { previewPage } from '../../desk/pages/preview.ts';
import { purposesPage } from '../../desk/pages/purposes.ts';
import { PATHS, lookupPath } from '../../desk/paths.ts';
import type { QuestionForm } from '../../desk/question-form.ts';
import {
  checkedQuestion,
  emptyQuestion,
  inputOf,
  labelsOf,
  readQuestion,
  withMistakes,
  withPasted,
  withPerson,
  withoutPerson,
} from '../../desk/question-form.ts';
import { readerName } from '../domain/desk/desk-readers.ts';
import type { CheckedQuestion } from '../domain/asking/lookup-check.ts';
import type { PermittedPurpose } from '../domain/asking/permitted-purposes.ts';
import { permittedPurposes } from '../domain/asking/permitted-purposes.ts';
import { previewQuestion } from '../domain/asking/question-preview.ts';
import { RULE_EXPLANATIONS } from '../domain/asking/rule-explanations.ts';
import type { DeskContext, DeskRoute } from './desk-context.ts';
import { areaNames, forProfessional, formOf, roleNames, wordingOf } from './desk-context.ts';

/** A question: choose what for, fill in, look who will be asked, ask. All that is typed is in the form alone. */
export function askingRoutes(context: DeskContext): DeskRoute[] {
  return [
    forProfessional(context, {
      method: 'get',
      path: '/ask',
      handle: (c, { session, roles }) => showForm(context, c, session, roles),
    }),
    {
      method: 'post',
      path: '/ask',
      async handle(c) {
        const form = await formOf(c);
        const session = readSession(context.site, c);
        if (session === undefined) return showLoggedOut(context, c, readQuestion(form));
        const roles = await context.deps.readers.requireProfessional(session, PATHS.ask);
        return new Asking(context, c, session, roles).take(form);
      },
    },
    {
      method: 'get',
      path: '/logged-in',
      handle(c) {
        const { backTitle, backBody } = wordingOf(context.deps, c).texts.ask;
        return context.show(c, {
          title: backTitle,
          content: html`<h1 class="utrecht-heading-1">${backTitle}</h1>
            ${message('ok', backTitle, backBody)}`,
          kind: 'asking',
        });
      },
    },
  ];
}

function showForm(
  context: DeskContext,
  c: Context,
  session: ReaderSession,
  roles: readonly string[],
): Response | Promise<Response> {
  const permitted = permittedPurposes(context.deps.service.roster, roles);
  const code = queryOf(c).get('purpose') ?? (permitted.length === 1 ? permitted[0]?.purpose.code : undefined);
  const chosen = permitted.find(({ purpose }) => purpose.code === code);
  if (chosen === undefined) {
    const wording = wordingOf(context.deps, c);
    const { title } = wording.texts.purposes;
    return context.show(c, { title, content: purposesPage(permitted, wording), kind: 'asking' });
  }
  const asking = new Asking(context, c, session, roles);
  return asking.form(emptyQuestion(asking.newKey(), chosen.purpose.code, chosen.roles[0] ?? ''));
}

/** The form again as it was sent, for somebody whose login has ended: nothing of it is kept here. */
function showLoggedOut(context: DeskContext, c: Context, form: QuestionForm): Response | Promise<Response> {
  const { roster } = context.deps.service.roster;
  const purpose = purposeOf(roster.policy, form.purpose);
  if (purpose === undefined) return c.redirect(PATHS.ask, 303);
  const wording = wordingOf(context.deps, c);
  const asking = new Asking(context, c, undefined, [form.role]);
  return asking.form(form, { notice: loggedOutNotice(wording), status: 401 });
}

/** One request of somebody who fills in a question. */
class Asking {
  readonly #context: DeskContext;
  readonly #c: Context;
  readonly #session: ReaderSession | undefined;
  readonly #permitted: readonly PermittedPurpose[];

  constructor(
    context: DeskContext,
    c: Context,
    session: ReaderSession | undefined,
    roles: readonly string[],
  ) {
    this.#context = context;
    this.#c = c;
    this.#session = session;
    this.#permitted = permittedPurposes(context.deps.service.roster, roles);
  }

  newKey(): string {
    return this.#context.deps.formKeys.make(this.#session?.subject ?? '');
  }

  /** Does what the button says that was pressed. */
  async take(fields: URLSearchParams): Promise<Response> {
    const form = readQuestion(fields);
    const action = fields.get('action') ?? 'check';
    if (this.#permittedFor(form) === undefined) return this.#c.redirect(PATHS.ask, 303);
    if (action === 'add') return this.form(withPerson(form));
    if (action === 'paste') return this.form(withPasted(form));
    const [, removed] = /^remove-(\d+)$/.exec(action) ?? [];
    if (removed !== undefined) return this.form(withoutPerson(form, Number(removed)));
    // Another language: the same page.
    if (action === 'show') return fields.get('step') === 'preview' ? this.#preview(form) : this.form(form);
    if (action === 'check') return this.#preview(form);
    if (action === 'send') return this.#send(form);
    return this.form(form);
  }

  async form(
    form: QuestionForm,
    { notice, status }: { readonly notice?: Html; readonly status?: 400 | 401 | 403 } = {},
  ): Promise<Response> {
    const permitted = this.#permittedFor(form);
    if (permitted === undefined) return this.#c.redirect(PATHS.ask, 303);
    const { deps, show } = this.#context;
    const wording = wordingOf(deps, this.#c);
    const page = {
      form,
      permitted,
      roleName: roleNames(this.#policy, languageOf(this.#c)),
      tokenTypes: this.#tokenTypes(permitted),
      otherPurposes: this.#permitted.length > 1,
      notice,
    };
    return show(
      this.#c,
      {
        title: wording.texts.ask.title,
        content: askPage(page, wording),
        kind: 'asking',
        form: { id: ASK_FORM, enter: 'check' },
      },
      status ?? (form.mistakes.size > 0 ? 400 : 200),
    );
  }

  get #policy(): Policy {
    return this.#context.deps.service.roster.roster.policy;
  }

  #permittedFor({ purpose }: QuestionForm): PermittedPurpose | undefined {
    return this.#permitted.find((one) => one.purpose.code === purpose);
  }

  #tokenTypes({ purpose }: PermittedPurpose): string[] {
    return tokenTypesFor(this.#policy, purpose, this.#context.deps.service.roster.self.kind);
  }

  /** Looks a form through: what to go on with, or the answer that it cannot go on with it. */
  async #looked(
    sent: QuestionForm,
  ): Promise<{ readonly form: QuestionForm; readonly checked: CheckedQuestion } | Response> {
    const permitted = this.#permittedFor(sent) as PermittedPurpose;
    const role = permitted.roles.includes(sent.role) ? sent.role : (permitted.roles[0] ?? '');
    const form = checkedQuestion({ ...sent, role }, permitted.purpose, this.#tokenTypes(permitted));
    if (form.mistakes.size > 0) return this.form(form);
    try {
      const checked = previewQuestion(this.#context.deps.service, this.#input(form));
      return { form, checked };
    } catch (error) {
      return this.#refused(form, error);
    }
  }

  async #preview(sent: QuestionForm, notice?: Html): Promise<Response> {
    const looked = await this.#looked(sent);
    if (looked instanceof Response) return looked;
    const { deps, show } = this.#context;
    const wording = wordingOf(deps, this.#c);
    const page = {
      ...looked,
      owner: deps.service.roster.self.name,
      areaName: areaNames(this.#policy, wording.language),
      notice,
    };
    return show(this.#c, {
      title: wording.texts.preview.title,
      content: previewPage(page, wording),
      kind: 'asking',
      form: { id: ASK_FORM, enter: 'send' },
    });
  }

  async #send(sent: QuestionForm): Promise<Response> {
    const looked = await this.#looked(sent);
    if (looked instanceof Response) return looked;
    const { deps } = this.#context;
    const { subject } = this.#session as ReaderSession;
    const { form } = looked;
    const key = deps.formKeys.open(form.key, subject);
    if (key === undefined) return this.#stale(form);
    try {
      await deps.lookups.submit(key, subject, this.#input(form), labelsOf(form));
    } catch (error) {
      if (error instanceof HitError && error.code === 'already-exists') return this.#stale(form);
      return this.#refused(form, error);
    }
    // Whoever loads the page again, or goes back and forth, asks nothing.
    return this.#c.redirect(lookupPath(key), 303);
  }

  /** The form with another key, for one that may have been sent before: nothing was asked now. */
  #stale(form: QuestionForm): Response | Promise<Response> {
    const { stale, staleBody } = wordingOf(this.#context.deps, this.#c).texts.ask;
    return this.#preview({ ...form, key: this.newKey() }, message('warning', stale, staleBody));
  }

  #input(form: QuestionForm) {
    const wanted = purposeOf(this.#policy, form.purpose)?.approval !== 'none';
    return inputOf(form, readerName(this.#session as ReaderSession), wanted);
  }

  /** The form with what stands against it; nothing was asked. */
  async #refused(form: QuestionForm, error: unknown): Promise<Response> {
    if (!(error instanceof HitError)) throw error;
    const mistaken = withMistakes(form, error);
    if (mistaken !== undefined) return this.form(mistaken);
    const wording = wordingOf(this.#context.deps, this.#c);
    const { rule } = error;
    const words =
      rule === undefined ? undefined : Object.entries(RULE_EXPLANATIONS).find(([name]) => name === rule);
    const text = words?.[1][wording.language] ?? failureText(error, wording);
    return this.form(form, { notice: message('error', wording.texts.ask.refused, text), status: 403 });
  }
}

import { html, raw } from 'hono/html';

export { html, raw };

/** A piece of a page: everything in it that came from outside is escaped. */
export type Html = ReturnType<typeof html>;

/** A piece that says nothing. */
export const NOTHING: Html = raw('');

/** An attribute without a value, such as `checked`: there, or not. */
export const flag = (name: string, on: boolean): Html => (on ? raw(` ${name}`) : NOTHING);

/** An attribute, or nothing where there is no value for it. */
export const attribute = (name: string, value: string | number | undefined): Html =>
  value === undefined ? NOTHING : html` ${raw(name)}="${value}"`;

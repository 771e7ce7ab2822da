import type { Locator } from 'playwright-core';
import type { Reader } from './browser.ts';

/** A professional in front of the desk: what he or she does, and reads. */
export class Professional {
  readonly reader: Reader;

  constructor(reader: Reader) {
    this.reader = reader;
  }

  /** Opens the form for a purpose. */
  async choose(purpose: string): Promise<void> {
    await this.reader.open(`/desk/ask?purpose=${purpose}`);
  }

  async confirmAll(): Promise<void> {
    for (const box of await this.reader.page.locator('input[name=statements]').all()) await box.check();
  }

  async fill(fields: Readonly<Record<string, string>>): Promise<void> {
    for (const [name, value] of Object.entries(fields))
      await this.reader.page.locator(`main [name="${name}"]`).pressSequentially(value);
  }

  /** Presses a button and waits for what comes of it: another page, or the same address with something else on it. */
  async press(name: string | RegExp): Promise<void> {
    const exact = typeof name === 'string';
    await this.#pressed(this.reader.page.getByRole('button', { name, exact }));
  }

  /** The same for a button by what it does, in whatever language it says so. */
  async act(action: 'check' | 'paste' | 'approve' | 'decline'): Promise<void> {
    await this.#pressed(this.reader.page.locator(`main button[value=${action}]`));
  }

  async #pressed(button: Locator): Promise<void> {
    const { page } = this.reader;
    // A page that is replaced, by a navigation or by the script, no longer has this mark.
    await page.evaluate('document.body.dataset.old = ""');
    await button.click();
    await page.locator('body:not([data-old])').waitFor({ state: 'attached' });
    await page.waitForLoadState();
  }

  /** Asks for a case conference, from the form to the question. */
  async ask(caseReference: string, fields: Readonly<Record<string, string>>): Promise<void> {
    await this.choose('casusoverleg-zvh');
    await this.confirmAll();
    await this.fill({ caseReference, ...fields });
    await this.act('check');
    await this.send();
  }

  /** Goes from the look at a question to its answers, or to where it waits for a colleague. */
  async send(): Promise<void> {
    // The answers are written as they come, so the page is not loaded before the last of them.
    await this.reader.page.locator('main button[value=send]').click();
    await this.reader.page.waitForURL('**/desk/lookups/*', { waitUntil: 'commit' });
  }

  /** Waits until nothing is waited for any more. */
  async finished(): Promise<void> {
    await this.reader.page.locator('.hit-finished').waitFor();
  }

  /** What stands in the row of an agency. */
  row(agency: string): Promise<string> {
    const { page } = this.reader;
    return page.locator('[data-answered]', { hasText: `Organisatie ${agency},` }).innerText();
  }

  /** By agency, the words of each cell of its row. */
  async answers(): Promise<Record<string, string[]>> {
    const rows = await this.reader.page.locator('[data-answered]').evaluateAll((found: unknown) =>
      (
        found as {
          querySelector(of: string): { textContent: string } | null;
          querySelectorAll(of: string): Iterable<{ textContent: string }>;
        }[]
      ).map(
        (row) =>
          [
            /Organisatie (\S+),/.exec(row.querySelector('.hit-agency')?.textContent ?? '')?.[1] ?? '',
            [...row.querySelectorAll('.hit-status')].map((cell) => cell.textContent.trim()),
          ] as const,
      ),
    );
    return Object.fromEntries(rows.sort(([a], [b]) => (a < b ? -1 : 1)));
  }
}

import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { delimiter, join } from 'node:path';
import { existsSync } from 'node:fs';
import type { Browser, BrowserContext, BrowserContextOptions, Cookie, Page } from 'playwright-core';
import { chromium } from 'playwright-core';
import { expect } from 'vitest';
import { SCREENSHOTS } from './screenshots.ts';

const NAMES = ['chromium', 'chromium-browser', 'google-chrome'];

/** Where a Chromium is installed; undefined where none is. */
export const CHROMIUM = (process.env['PATH'] ?? '')
  .split(delimiter)
  .flatMap((folder) => NAMES.map((name) => join(folder, name)))
  .find((path) => existsSync(path));

/** Stands in the name of what is skipped. */
export const WITHOUT_CHROMIUM =
  CHROMIUM === undefined ? ' (skipped: there is no Chromium here; apt-get install chromium)' : '';

/** It talks to nobody but the pages that it is sent to. */
const FLAGS = [
  ...['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-sync'],
  ...['--disable-background-networking', '--disable-component-update'],
];

const AXE = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
/** WCAG 2.2, levels A and AA. */
const STANDARDS = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa'];

interface AxeResult {
  readonly violations: readonly {
    readonly id: string;
    readonly help: string;
    readonly nodes: readonly { readonly html: string; readonly failureSummary?: string }[];
  }[];
  readonly passes: readonly unknown[];
}

/** A browser, and readers with profiles of their own in it. */
export class TestBrowser {
  readonly #browser: Browser;

  private constructor(browser: Browser) {
    this.#browser = browser;
  }

  static async start(): Promise<TestBrowser> {
    if (CHROMIUM === undefined) throw new Error('no Chromium');
    return new TestBrowser(await chromium.launch({ executablePath: CHROMIUM, args: FLAGS }));
  }

  /** A reader of the pages at `mount`, in front of a desktop screen unless told. */
  async reader(url: string, { mount = '/console', ...options }: ReaderOptions = {}): Promise<Reader> {
    const context = await this.#browser.newContext({
      locale: 'nl-NL',
      viewport: { width: 1280, height: 900 },
      ...options,
    });
    return Reader.open({ url, mount }, context);
  }

  async close(): Promise<void> {
    await this.#browser.close();
  }
}

interface ReaderOptions extends Pick<
  BrowserContextOptions,
  'javaScriptEnabled' | 'viewport' | 'deviceScaleFactor' | 'hasTouch'
> {
  readonly mount?: string;
}

/** A service, and where its pages are mounted. */
interface Place {
  readonly url: string;
  readonly mount: string;
}

/** Somebody in front of a browser, who notices everything that the browser complains of. */
export class Reader {
  readonly page: Page;
  readonly context: BrowserContext;
  readonly url: string;
  readonly #mount: string;
  readonly #complaints: string[] = [];

  private constructor({ url, mount }: Place, context: BrowserContext, page: Page) {
    this.url = url;
    this.#mount = mount;
    this.context = context;
    this.page = page;
    // An error status is told as well; what stands on such a page is looked at by the tests.
    page.on('console', (message) => {
      // What happens after a page was loaded has no place.
      const place = message.location().url === '' ? page.url() : message.location().url;
      const own = place.startsWith(url);
      if (message.type() === 'error' && own && !message.text().startsWith('Failed to load resource'))
        this.#complaints.push(message.text());
    });
    page.on('pageerror', (error) => this.#complaints.push(error.message));
    page.on('requestfailed', (request) => {
      const reason = request.failure()?.errorText ?? '';
      if (request.url().startsWith(url) && reason !== 'net::ERR_ABORTED')
        this.#complaints.push(`${request.url()}: ${reason}`);
    });
  }

  static async open(place: Place, context: BrowserContext): Promise<Reader> {
    return new Reader(place, context, await context.newPage());
  }

  /** Opens an address of the console; gives the status. */
  async open(path: string): Promise<number> {
    const response = await this.page.goto(`${this.url}${path}`);
    return response?.status() ?? 0;
  }

  /** Logs in as `name`; behind each + stands a role. Ends on the page that the login leads to. */
  async login(name: string): Promise<void> {
    await this.open(this.#mount);
    await this.page.getByRole('link', { name: /^(Inloggen|Log in)$/ }).click();
    await this.identify(name);
  }

  /** Fills in the form of the identity provider. */
  async identify(name: string): Promise<void> {
    await this.page.locator('input[name=login]').fill(name);
    await this.page.locator('input[name=password]').fill('anything');
    await this.page.locator('button[type=submit]').click();
    await this.page.waitForURL(`${this.url}${this.#mount}/**`);
  }

  /** Logs in at the identity provider and stays there; gives the address that the browser was to go back to. */
  async loginWithoutReturn(name: string): Promise<string> {
    await this.open(`${this.#mount}/login`);
    const form = { prompt: 'login', login: name, password: 'anything' };
    const options = { maxRedirects: 0 };
    const sent = await this.context.request.post(this.page.url(), { ...options, form });
    const resumed = await this.context.request.get(sent.headers()['location'] ?? '', options);
    return resumed.headers()['location'] ?? '';
  }

  async sessionCookie(): Promise<Cookie> {
    const cookie = (await this.context.cookies()).find(({ name }) => name === 'hit-session');
    if (cookie === undefined) throw new Error('there is no session');
    return cookie;
  }

  heading(): Promise<string> {
    return this.page.locator('h1').innerText();
  }

  /** The text of the page, without what stands around it. */
  text(): Promise<string> {
    return this.page.locator('main').innerText();
  }

  /** The rows of a table, by its caption; each the texts of its cells. */
  async rows(caption: string): Promise<string[][]> {
    const table = this.page.getByRole('region', { name: caption }).getByRole('table');
    return table
      .locator('tbody tr')
      .evaluateAll((rows: unknown) =>
        (rows as { readonly children: Iterable<{ readonly textContent: string }> }[]).map((row) =>
          [...row.children].map((cell) => cell.textContent.trim()),
        ),
      );
  }

  /** What sticks out at the side of the screen, when the whole page can be moved sideways; what moves in itself does not. */
  tooWide(): Promise<string[]> {
    return this.page.evaluate(`(() => {
      const { scrollWidth } = document.documentElement;
      if (scrollWidth <= innerWidth) return [];
      const out = [...document.querySelectorAll('body *')].filter(
        (node) => node.getBoundingClientRect().right > innerWidth + 1,
      );
      return [\`wider than the screen: \${scrollWidth}\`, ...out.slice(-3).map((node) => node.outerHTML.slice(0, 120))];
    })()`);
  }

  /**
   * Checks this page as it is now against WCAG 2.2 AA, that it fits the screen from side to side, and that the browser
   * had nothing to complain of.
   */
  async inspect(name: string): Promise<void> {
    await this.page.screenshot({ path: join(SCREENSHOTS, `${name}.png`), fullPage: true });
    await this.page.evaluate(AXE);
    const result = await this.page.evaluate(
      (values) =>
        (globalThis as unknown as { axe: { run(options: object): Promise<AxeResult> } }).axe.run({
          runOnly: { type: 'tag', values },
        }),
      STANDARDS,
    );
    const violations = result.violations.flatMap(({ id, nodes }) =>
      nodes.map(({ html, failureSummary }) => `${name}: ${id}: ${html}: ${failureSummary ?? ''}`),
    );
    const wide = (await this.tooWide()).map((what) => `${name}: ${what}`);
    const wrong = [...violations, ...wide, ...this.#complaints.splice(0)];
    if (wrong.length > 0) throw new Error(wrong.join('\n'));
    // A page that nothing was looked at on would have no violations either.
    expect(result.passes.length).toBeGreaterThan(8);
  }
}

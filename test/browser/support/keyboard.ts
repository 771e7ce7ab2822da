import type { Page } from 'playwright-core';

/** Where the focus is, as a page tells. */
interface Stop {
  /** Whether it is where it was to go. */
  readonly there: boolean;
  readonly html: string;
  /** What somebody who looks at the screen sees of it. */
  readonly shown: boolean;
}

/** More stops than any page has. */
const MOST_STOPS = 120;

/** Somebody with a keyboard and no mouse. */
export class Keyboard {
  readonly #page: Page;

  constructor(page: Page) {
    this.#page = page;
  }

  /**
   * Presses Tab until the focus is at what `selector` names, and `text` stands in it. Throws for a stop on the way that
   * does not show that it has the focus, and when there is no such stop.
   */
  async to(selector: string, text = ''): Promise<void> {
    for (let stops = 0; stops < MOST_STOPS; stops++) {
      const stop = await this.#stop(selector, text);
      if (!stop.shown) throw new Error(`the focus cannot be seen at ${stop.html}`);
      if (stop.there) return;
      await this.#page.keyboard.press('Tab');
    }
    throw new Error(`no Tab leads to ${selector} ${text}`);
  }

  async press(key: string): Promise<void> {
    await this.#page.keyboard.press(key);
  }

  /** Types into what has the focus, in the place of what stands there. */
  async type(text: string): Promise<void> {
    await this.#page.keyboard.press('Control+A');
    await this.#page.keyboard.type(text);
  }

  /** Identifier of what has the focus. */
  focus(): Promise<string> {
    return this.#page.evaluate('document.activeElement.id');
  }

  #stop(selector: string, text: string): Promise<Stop> {
    return this.#page.evaluate(`(async () => {
      const at = document.activeElement;
      const isShown = () => {
        const { outlineStyle, outlineWidth } = getComputedStyle(at);
        const { top, bottom, height } = at.getBoundingClientRect();
        const outlined = outlineStyle !== 'none' && parseFloat(outlineWidth) >= 2;
        return outlined && (height > innerHeight || (top >= 0 && bottom <= innerHeight + 1));
      };
      // The page itself has the focus before the first Tab; the pages of the identity provider are not ours.
      const ours = location.pathname.startsWith('/desk') && at !== document.body;
      // The page is moved with the next picture.
      for (let frames = 0; ours && !isShown() && frames < 30; frames++) await new Promise(requestAnimationFrame);
      return {
        there: at.matches(${JSON.stringify(selector)}) && at.textContent.includes(${JSON.stringify(text)}),
        html: at.outerHTML.slice(0, 200),
        shown: !ours || isShown(),
      };
    })()`);
  }
}

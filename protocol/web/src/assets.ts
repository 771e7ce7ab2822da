import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';

/** A file that the pages need, as it is served. */
export interface Asset {
  /** Changes with the content, so that a browser may keep it for ever. */
  readonly version: string;
  readonly type: string;
  readonly content: Uint8Array<ArrayBuffer>;
  readonly gzipped: Uint8Array<ArrayBuffer>;
}

/** Style sheets in the order in which they apply: components, their values, our own parts, and what whole pages have. */
const FILES = {
  'components.css': import.meta.resolve('@utrecht/component-library-css/dist/index.css'),
  'theme.css': import.meta.resolve('@nl-design-system-unstable/voorbeeld-design-tokens/dist/theme.css'),
  'frame.css': new URL('./parts/frame.css', import.meta.url).href,
  'content.css': new URL('./parts/content.css', import.meta.url).href,
  'pages.css': new URL('./parts/pages.css', import.meta.url).href,
} as const;

/** Reads the files; once, when the pages are opened. */
export function readAssets(): ReadonlyMap<string, Asset> {
  return new Map(
    Object.entries(FILES).map(([name, url]) => {
      const content = new Uint8Array(readFileSync(fileURLToPath(url)));
      const version = createHash('sha256').update(content).digest('base64url').slice(0, 12);
      return [
        name,
        { version, type: 'text/css; charset=utf-8', content, gzipped: new Uint8Array(gzipSync(content)) },
      ];
    }),
  );
}

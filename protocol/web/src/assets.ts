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

const TYPES: Readonly<Record<string, string>> = { css: 'text/css', js: 'text/javascript' };

/** Reads the files, and takes those of a service's own beside them; once, when the pages are opened. */
export function readAssets(own: Readonly<Record<string, Uint8Array>> = {}): ReadonlyMap<string, Asset> {
  const shared = Object.entries(FILES).map(
    ([name, url]) => [name, new Uint8Array(readFileSync(fileURLToPath(url)))] as const,
  );
  return new Map(
    [...shared, ...Object.entries(own)].map(([name, content]) => [name, assetOf(name, content)]),
  );
}

function assetOf(name: string, bytes: Uint8Array): Asset {
  const content = new Uint8Array(bytes);
  return {
    version: createHash('sha256').update(content).digest('base64url').slice(0, 12),
    type: `${TYPES[name.slice(name.lastIndexOf('.') + 1)] ?? 'application/octet-stream'}; charset=utf-8`,
    content,
    gzipped: new Uint8Array(gzipSync(content)),
  };
}

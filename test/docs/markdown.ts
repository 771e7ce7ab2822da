/** A fenced block: what stands behind the opening fence, and the lines in between. */
export interface Fence {
  readonly info: string;
  readonly text: string;
  readonly line: number;
}

/** What a Markdown text names that can be checked. Lines count from 1. */
export interface Page {
  readonly fences: readonly Fence[];
  readonly links: readonly Named[];
  /** What stands between backticks in running text. */
  readonly code: readonly Named[];
}

export interface Named {
  readonly text: string;
  readonly line: number;
}

/** Takes a Markdown text apart. RangeError for a fence that is never closed: it would hide the rest of the page. */
export function readPage(markdown: string): Page {
  const fences: Fence[] = [];
  const links: Named[] = [];
  const code: Named[] = [];
  let open: { mark: string; info: string; line: number; lines: string[] } | undefined;
  markdown.split('\n').forEach((content, index) => {
    const line = index + 1;
    const fence = /^\s*(`{3,}|~{3,})\s*(.*)$/.exec(content);
    if (open !== undefined) {
      if (fence?.[2] === '' && fence[1]?.startsWith(open.mark) === true) {
        fences.push({ info: open.info, text: open.lines.join('\n'), line: open.line });
        open = undefined;
      } else {
        open.lines.push(content);
      }
    } else if (fence !== null) {
      open = { mark: fence[1] as string, info: (fence[2] as string).trim(), line, lines: [] };
    } else {
      for (const [, text] of content.matchAll(/`([^`]+)`/g)) code.push({ text: text as string, line });
      const plain = content.replaceAll(/`[^`]+`/g, (span) => ' '.repeat(span.length));
      for (const [, text] of plain.matchAll(/\]\(\s*<?([^\s)>]+)/g))
        links.push({ text: text as string, line });
      for (const [, text] of plain.matchAll(/^\s*\[[^\]]+\]:\s*<?([^\s>]+)/g)) {
        links.push({ text: text as string, line });
      }
      for (const [, text] of plain.matchAll(/\b(?:src|href)="([^"]+)"/g))
        links.push({ text: text as string, line });
    }
  });
  if (open !== undefined) throw new RangeError(`the fence of line ${open.line} is never closed`);
  return { fences, links, code };
}

import { readFileSync } from 'node:fs';
import type { Language } from '@hitmachine/web';
import { html, raw } from '@hitmachine/web';
import { batchReport, batchTextsOf } from './batch-report.ts';
import type { BatchReport } from './batch-summary.ts';

/** The report as a page of its own that needs nothing beside it: it can be sent, kept and printed. */
export async function batchDocument(report: BatchReport, language: Language): Promise<string> {
  const style = readFileSync(new URL('./batch-document.css', import.meta.url), 'utf8');
  const page = html`${raw('<!doctype html>')}
    <html lang="${language}">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <title>${batchTextsOf(language).title} - Hitmachine</title>
        <style>
          ${raw(style)}
        </style>
      </head>
      <body>
        <main>${batchReport(report, language)}</main>
      </body>
    </html>`;
  return String(await page);
}

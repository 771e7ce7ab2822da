import { fileURLToPath } from 'node:url';
import PDFDocument from 'pdfkit';
import type { Note, NoteLine } from './note.ts';
import type { Wording } from './record-text.ts';

/** Free fonts with the letters of every name that a register of Europe holds; embedded as far as they are used. */
const FONTS = {
  normal: fileURLToPath(import.meta.resolve('dejavu-fonts-ttf/ttf/DejaVuSans.ttf')),
  bold: fileURLToPath(import.meta.resolve('dejavu-fonts-ttf/ttf/DejaVuSans-Bold.ttf')),
  mono: fileURLToPath(import.meta.resolve('dejavu-fonts-ttf/ttf/DejaVuSansMono.ttf')),
};
const MARGIN = 56;
/** Where the number of the page stands, below the text. */
const FOOT = 30;

type Document = InstanceType<typeof PDFDocument>;

/** The note as a tagged PDF (PDF/UA), which a screen reader reads in order and in its language. */
export async function notePdf(
  note: Note,
  { language, texts: { noteFile: words } }: Wording,
): Promise<Uint8Array> {
  const document = new PDFDocument({
    size: 'A4',
    margins: { top: MARGIN, bottom: MARGIN, left: MARGIN, right: MARGIN },
    pdfVersion: '1.7',
    // The library knows it, its types do not yet.
    subset: 'PDF/UA' as never,
    tagged: true,
    lang: language === 'nl' ? 'nl-NL' : 'en-GB',
    displayTitle: true,
    bufferPages: true,
    font: FONTS.normal,
    info: { Title: words.title },
  });
  const chunks: Uint8Array[] = [];
  document.on('data', (chunk: Uint8Array) => chunks.push(chunk));
  const ended = new Promise<void>((resolve, reject) => {
    document.on('end', resolve);
    document.on('error', reject);
  });
  write(document, note, words);
  document.end();
  await ended;
  return new Uint8Array(Buffer.concat(chunks));
}

type Words = Wording['texts']['noteFile'];

function write(document: Document, note: Note, words: Words): void {
  const root = document.struct('Document');
  document.addStructure(root);
  const put = (tag: string, font: keyof typeof FONTS, size: number, text: string): void => {
    root.add(
      document.struct(tag, {}, () => {
        document.font(FONTS[font]).fontSize(size).text(text);
      }),
    );
  };
  put('H1', 'bold', 18, words.title);
  document.moveDown(0.6);
  for (const [name, value] of note.facts) put('P', 'normal', 10, `${name}: ${value}`);
  document.moveDown(0.6);
  put('P', 'normal', 10, words.lead);
  if (!note.complete) put('P', 'bold', 10, words.warning);
  for (const { name, lines } of note.persons) {
    document.moveDown(0.8);
    put('H2', 'bold', 13, name);
    document.moveDown(0.2);
    for (const line of lines) writeLine(document, put, line);
  }
  document.moveDown(1);
  put('H2', 'bold', 13, words.receipt);
  put('P', 'normal', 9, note.receipts.length === 0 ? words.noReceipt : words.receiptHelp);
  for (const receipt of note.receipts) {
    document.moveDown(0.4);
    put('P', 'mono', 6, receipt);
  }
  root.end();
  numberPages(document, words);
}

function writeLine(
  document: Document,
  put: (tag: string, font: keyof typeof FONTS, size: number, text: string) => void,
  { register, status, more, known }: NoteLine,
): void {
  // The word stands in front, so that it is not the weight of the letters that tells.
  put('P', known ? 'bold' : 'normal', 10, `${status}: ${register}`);
  for (const text of more) put('P', 'normal', 9, `    ${text}`);
  document.moveDown(0.15);
}

function numberPages(document: Document, words: Words): void {
  const { start, count } = document.bufferedPageRange();
  for (let page = start; page < start + count; page++) {
    document.switchToPage(page);
    // Below the margin, where text would begin another page.
    document.page.margins.bottom = 0;
    document.markContent('Artifact', { type: 'Pagination' });
    document
      .font(FONTS.normal)
      .fontSize(8)
      .text(words.page(page - start + 1, count), MARGIN, document.page.height - FOOT, { lineBreak: false });
    document.endMarkedContent();
  }
}

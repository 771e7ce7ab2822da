/** The items of a text, separated by commas; line breaks and indentation do not count. */
export function list(text: string): readonly string[] {
  return text
    .split(',')
    .map((item) => item.trim().replace(/\s+/g, ' '))
    .filter((item) => item !== '');
}

/** What a cell holds; nothing where there is no value. */
export type Cell = string | number | null | undefined;

/** A spreadsheet takes a text that begins so for a formula, and runs it. */
const formula = /^[=+\-@\t\r]/;

/**
 * A line of CSV (RFC 4180). A text that would be a formula gets an apostrophe before it, which spreadsheets read as "text follows"; numbers are
 * ours and stay numbers. By hand: these two rules are all there is to it.
 */
export const csvLine = (cells: readonly Cell[]): string => `${cells.map(written).join(',')}\r\n`;

function written(cell: Cell): string {
  if (cell == null) return '';
  if (typeof cell === 'number') return String(cell);
  const text = formula.test(cell) ? `'${cell}` : cell;
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { readCsv } from '../../testing/read-csv.js';
import { csvLine } from './csv.js';

describe('a line of CSV', () => {
  it.each([
    [['a', 'b'], 'a,b\r\n'],
    [[1, -1, 0.5], '1,-1,0.5\r\n'],
    [[null, undefined, ''], ',,\r\n'],
    [['a,b', 'say "hi"', 'two\nlines', 'two\r\nlines'], '"a,b","say ""hi""","two\nlines","two\r\nlines"\r\n'],
    [['🔥 é', ' blank '], '🔥 é, blank \r\n'],
    [['=1+1', '+49 30 1', '-', '@SUM(A1)'], "'=1+1,'+49 30 1,'-,'@SUM(A1)\r\n"],
    [['\t=1', '\r=1', '=HYPERLINK("x","y")'], '\'\t=1,"\'\r=1","\'=HYPERLINK(""x"",""y"")"\r\n'],
    [['a=1', ' =1', "'=1"], "a=1, =1,'=1\r\n"],
  ])('of %j is %j', (cells, line) => expect(csvLine(cells)).toBe(line));

  it('is read as what was written, whatever it holds', () =>
    fc.assert(
      fc.property(fc.array(fc.array(fc.string({ unit: fc.oneof(fc.constantFrom(',', '"', '\r', '\n', '=', '-', '@', '\t', "'"), fc.string({ unit: 'binary', minLength: 1, maxLength: 1 })) }), { minLength: 2, maxLength: 4 })), (lines) => {
        const read = readCsv(lines.map(csvLine).join(''));
        expect(read).toEqual(lines.map((cells) => cells.map((text) => (/^[=+\-@\t\r]/.test(text) ? `'${text}` : text))));
        expect(read.flat().filter((text) => /^[=+\-@\t\r]/.test(text))).toEqual([]);
      }),
    ));
});

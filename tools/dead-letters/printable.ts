/** Text of strangers for a terminal: whatever could move its cursor, turn its lines around or hide something is shown as `\uXXXX`. */

const unseen = /[\p{Cc}\p{Cf}\p{Co}\p{Cs}\p{Zl}\p{Zp}]/gu;

const escaped = (character: string) =>
  Array.from({ length: character.length }, (_, at) => `\\u${character.charCodeAt(at).toString(16).padStart(4, '0')}`).join('');

/** In one line. Of JSON it leaves the same JSON. */
export const printable = (text: string): string => text.replace(unseen, escaped);

/** With its lines kept. */
export const printableLines = (text: string): string => text.replace(unseen, (character) => (character === '\n' ? character : escaped(character)));

/** At most so many characters, with a mark where something was cut. */
export const cut = (text: string, length: number): string => (text.length <= length ? text : `${text.slice(0, Math.max(0, length - 1))}…`);

const deepest = 24;

const steps: Readonly<Record<string, number>> = { '{': 1, '[': 1, '}': -1, ']': -1 };

/** JSON with a line for each member, every name and number as it stands there: parsed and written again, long numbers and repeated names would change. */
export function indented(json: string, longest: number): string {
  let text = '';
  let depth = 0;
  for (const [token] of json.matchAll(/"(?:[^"\\]|\\.)*"|[{[]\s*[}\]]|[{}[\],:]|[^\s{}[\],:"]+/g)) {
    if (text.length > longest) return text;
    const step = steps[token] ?? 0;
    depth += step;
    text += written(token, step, `\n${'  '.repeat(Math.min(depth, deepest))}`);
  }
  return text;
}

function written(token: string, step: number, line: string): string {
  if (step > 0) return token + line;
  if (step < 0) return line + token;
  if (token === ',') return token + line;
  return token === ':' ? ': ' : token.replace(/^([{[])\s+/, '$1');
}

/** Lines by which mail programs begin what is answered to. */
const introductions = [
  /^\s*(on|am|le|el|il|em|op|den|dnia)\b.{1,200}(wrote|schrieb.{0,100}|a écrit|escribió|ha scritto|escreveu|schreef.{0,100}|skrev.{0,100}|napisał.{0,100})\s*:\s*$/iu,
  /^\s*-{2,}\s*(original message|ursprüngliche nachricht|message d'origine|mensaje original|messaggio originale|forwarded message|weitergeleitete nachricht)\s*-{2,}\s*$/iu,
  /^_{20,}\s*$/u,
];
/** Longer lines are nobody's introduction. */
const longest = 400;

/**
 * What somebody has written, without what they answered to: quoted lines at the end go with the line that introduces them, answers between quoted lines stay with
 * these. Where nothing would be left, all of it stays. Line by line, so that no text takes long.
 */
export function withoutQuotes(text: string): string {
  const lines = text.replace(/\r\n?/g, '\n').split('\n').map((line) => line.trimEnd());
  const kept = withoutTail(beforeIntroduction(lines));
  return (kept.some((line) => line !== '') ? kept : lines).join('\n').trim();
}

/** A line that is broken in two is looked at whole. */
function beforeIntroduction(lines: readonly string[]): readonly string[] {
  const at = lines.findIndex((line, i) => isIntroduction(line) || (lines[i + 1] !== undefined && isIntroduction(`${line} ${lines[i + 1]!}`)));
  if (at < 0) return lines;
  const after = lines.slice(at).filter((line) => line !== '').slice(1);
  const isAnswered = after.some((line, i) => i > 0 && !isQuoted(line)) && after.some(isQuoted);
  return isAnswered ? lines : lines.slice(0, at);
}

const isIntroduction = (line: string) => line.length <= longest && introductions.some((form) => form.test(line));
const isQuoted = (line: string) => /^\s*>/.test(line);

function withoutTail(lines: readonly string[]): readonly string[] {
  let end = lines.length;
  while (end > 0 && (lines[end - 1] === '' || isQuoted(lines[end - 1]!))) end -= 1;
  return lines.slice(0, end);
}

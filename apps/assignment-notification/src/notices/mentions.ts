/** People whom one text mentions at most; those named after them are not told. */
export const mostMentions = 50;

/** Somebody as a text names them: one of these ids, the first that there is, or everybody of a name. */
export type Mention = { ids: string[] } | { name: string };

/** Quoted lines and code tell of others' mentions, or of none. */
const quoted = [/```[^]*?```/g, /`[^`\n]*`/g, /^[ \t]*>.*$/gm];
const mention = /(?<![\p{L}\p{N}_@./-])@(?:"([^"\n]{1,255})"|([\p{L}\p{N}][\p{L}\p{N}._|+-]{0,254}))/gu;

/** Whom a text mentions: `@ada` by id, `@"Ada Lovelace"` by name or id. */
export function mentionsIn(text: string): Mention[] {
  const own = quoted.reduce((rest, one) => rest.replace(one, ' '), text);
  const found = new Map<string, Mention>();
  for (const [whole, name, word] of own.matchAll(mention)) {
    if (found.size >= mostMentions) break;
    found.set(whole, word === undefined ? { name: name!.trim() } : { ids: spellings(word) });
  }
  return [...found.values()];
}

/** A sentence may end behind an id, or begin with it. */
function spellings(word: string): string[] {
  const bare = word.replace(/[._|+-]+$/, '');
  return [...new Set([word, bare, bare.toLowerCase()])];
}

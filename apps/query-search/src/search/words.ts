import type { Ticket } from '#contracts';

/** A word of a search: everything below is literal text, never a pattern. */
const pattern = /#\p{Nd}+|[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}|[\p{L}\p{N}]+/gu;
/** Longer words are known by their beginning; index entries stay small. */
const maxWordLength = 40;

/**
 * How many different words of a ticket can be found: more than all but the longest have (a believable year of tickets has 93 on average). Each
 * costs an index entry that some engines write again with every new word. Beyond them go, first, what was said longest ago; of the
 * fields, the end of the description. Notes have a share of their own: what is written in notes never decides what others find.
 */
export const wordLimits = { fields: 2_000, said: 2_000, noted: 500 } as const;
/** Words of one question; 2,000 characters hold more only where nobody reads. */
const maxAsked = 200;

/** Case and accents folded, compatibility forms too: `Straße` and `STRASSE`, `Éclair` and `eclair` are the same. */
const folded = (text: string) => text.normalize('NFKD').replace(/\p{M}+/gu, '').toUpperCase().toLowerCase().replaceAll('ς', 'σ');

const split = (text: string) => (folded(text).match(pattern) ?? []).map(cut);
const cut = (word: string) => (word.length <= maxWordLength ? word : Array.from(word).slice(0, maxWordLength).join(''));
const distinct = (words: readonly string[]) => [...new Set(words)];

/** The words of a text in order, each once. `#12` counts as `12` too. */
export const wordsOf = (text: string): string[] => distinct(split(text).flatMap((word) => (word.startsWith('#') ? [word, word.slice(1)] : [word])));

/** Words said so far with new ones behind them: the oldest go where there are too many. Kept as one text, which is cheap to store. */
export function heard(before: string, texts: readonly string[], limit: number): string {
  const fresh = new Set(texts.flatMap(wordsOf));
  if (fresh.size === 0) return before;
  const kept = before === '' ? [] : before.split(' ').filter((word) => !fresh.has(word));
  return [...kept, ...fresh].slice(-limit).join(' ');
}

/** What was said on a ticket, as words between blanks: to everybody who sees it, and in notes. */
export interface Heard {
  said: string;
  noted: string;
}

/** What a ticket is found by. `open` leaves out what only notes say, and is absent where that makes no difference. */
export function ticketWords(ticket: Ticket, { said, noted }: Heard): { tokens: string[]; open?: string[] } {
  const open = distinct([...fieldWords(ticket), ...listed(said)]);
  const tokens = distinct([...open, ...listed(noted)]);
  return tokens.length === open.length ? { tokens } : { tokens, open };
}

const listed = (words: string) => (words === '' ? [] : words.split(' '));

function fieldWords({ id, number, title, description, tags, requester }: Ticket): string[] {
  const people = [requester?.id, requester?.name, requester?.email].filter((part) => part !== undefined);
  const texts = [title, ...people, ...tags, description].flatMap(wordsOf);
  return distinct([String(number), `#${number}`, id, ...texts]).slice(0, wordLimits.fields);
}

/** Whether a word stands in the vocabulary: numbers are as many as tickets, and would fill it. Words with the same beginning are all in it, or none is. */
export const isNoted = (word: string): boolean => /^\p{L}/u.test(word);

/** What a search asks for: these words, and one that begins like this. */
export interface Asked {
  words: string[];
  prefix: string;
  /** All words that begin like it, where they are known and few. */
  beginnings?: readonly string[] | undefined;
  /** Else what is known of it, where very many tickets have such a word. */
  common?: { readonly frequent?: string; readonly isMost: boolean } | undefined;
}

/** Reads a search box. Undefined when there is no word in it: then nothing matches. */
export function asked(q: string): Asked | undefined {
  const words = split(q);
  const prefix = words.pop();
  if (prefix === undefined) return undefined;
  return { words: distinct(words).slice(0, maxAsked), prefix };
}

/** An anchored pattern that only says "begins with": words hold letters, digits, `#` and `-`. */
export const beginsWith = (prefix: string) => new RegExp(`^${prefix.replace(/[^\p{L}\p{N}#-]/gu, '\\$&')}`);

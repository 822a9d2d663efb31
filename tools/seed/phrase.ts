import type { Random } from './random.js';

/** Facts of a case that phrases may name. */
export const slots = [
  'order', 'invoice', 'product', 'other', 'amount', 'price', 'day', 'month', 'date', 'later', 'city', 'street', 'name', 'full', 'agent', 'colleague',
  'code', 'version', 'count', 'days', 'last4', 'email', 'tracking', 'device', 'browser', 'booking', 'flight', 'hotel', 'company', 'time', 'file', 'mate',
] as const; // prettier-ignore
export type Slot = (typeof slots)[number];

type Part = string | { slot: Slot } | { choices: Phrase[] };

/** A text with choices and slots: `[My|The] order {order} [has not come|is late].` */
export class Phrase {
  /** About how many words it makes. */
  readonly words: number;
  readonly #parts: Part[];

  constructor(text: string) {
    this.words = text.replace(/\|[^\]]*/g, '').split(' ').length;
    this.#parts = text.split(/(\[[^\]]*\]|\{\w+\})/).filter(Boolean).map(parse);
  }

  /** The text with its choices made and its slots filled. */
  say(random: Random, fact: (slot: Slot) => string): string {
    let text = '';
    for (const part of this.#parts) {
      if (typeof part === 'string') text += part;
      else if ('choices' in part) text += random.pick(part.choices).say(random, fact);
      else text = joined(text, fact(part.slot));
    }
    return text;
  }
}

/** `a` becomes `an` where the fact asks for it. */
const joined = (text: string, fact: string) => (/^[aeio]/i.test(fact) && / a $/.test(text) ? `${text.slice(0, -1)}n ${fact}` : text + fact);

function parse(part: string): Part {
  if (part.startsWith('[')) return { choices: part.slice(1, -1).split('|').map((choice) => new Phrase(choice)) };
  if (!part.startsWith('{')) return part;
  const slot = part.slice(1, -1) as Slot;
  if (!slots.includes(slot)) throw new Error(`there is no fact ${part}`);
  return { slot };
}

/** One phrase a line; blank lines and white space at both ends do not count. */
export const phrases = (text: string): readonly Phrase[] =>
  text
    .split('\n')
    .map((line) => line.trim())
    .filter(Boolean)
    .map((line) => new Phrase(line));

import type { Facts } from './facts.js';
import type { Phrase } from './phrase.js';
import type { Random } from './random.js';
import { customer } from './texts/customer.js';
import type { Language } from './texts/languages.js';
import type { Subject } from './texts/subject.js';
import { team } from './texts/team.js';

/** What a story is about. */
export interface StoryParts {
  random: Random;
  facts: Facts;
  subject: Subject;
  /** Another one that long letters mention as well. */
  aside: Subject;
  language?: Language | undefined;
}

/** One message of a chat. */
export interface Said {
  role: 'user' | 'assistant';
  content: string;
}

/** The texts of one case: who tells what, in which words. Nothing is said twice while there is anything else to say. */
export class Story {
  readonly #said = new Set<Phrase>();
  /** Which of the subject's problems it is. */
  readonly #which: number;

  constructor(private readonly parts: StoryParts) {
    this.#which = parts.random.whole(0, parts.subject.titles.length - 1);
  }

  title(): string {
    const { random, subject, language } = this.parts;
    const title = language ? this.#one(language.titles) : this.#tell(subject.titles[this.#which]!);
    const dressed = random.chance(0.94) ? title : random.pick(['URGENT: ', 'Re: ', 'Fwd: ', 'Question: ', '2nd try: ']) + title;
    return (random.chance(0.95) ? dressed : dressed.toLowerCase()).slice(0, 200).trim();
  }

  /** A letter of a customer, of about so many words. */
  letter(words: number): string {
    const { random, language, subject } = this.parts;
    if (language) return this.#foreign(words);
    const start = [...(random.chance(0.6) ? [this.#one(customer.greetings)] : []), ...(random.chance(0.35) ? [this.#one(customer.openers)] : [])];
    const end = [...(random.chance(0.7) ? [this.#one(customer.asks)] : []), ...(random.chance(0.6) ? [this.#one(customer.thanks)] : [])];
    const middle = this.#sentences([subject.details, subject.details], words - wordsIn([...start, ...end]));
    return this.#withSlips(paragraphs([start.join('\n'), middle.join(' '), end.join('\n')]));
  }

  /** What an assistant writes into a ticket that it opens from a chat. */
  summary(words: number): string {
    const { subject, language } = this.parts;
    const start = this.#one(team.summaries);
    const quoted = language ? this.#foreign(25) : this.#sentences([subject.details], Math.min(30, words / 2)).join(' ');
    const steps = this.#fill(() => team.steps, words - wordsIn([start, quoted]));
    return paragraphs([`${start} "${quoted}"`, steps.join(' ')]);
  }

  /** A chat of so many messages between customer and assistant; the customer begins and the assistant ends, as far as the number allows. */
  chat(messages: number): Said[] {
    return Array.from({ length: messages }, (_, index): Said => {
      if (index % 2 === 0) return { role: 'user', content: index === 0 ? this.#firstWords() : this.answer() };
      if (index === 1) return { role: 'assistant', content: `${this.#one(team.welcomes)} ${this.#question()}` };
      return { role: 'assistant', content: index >= messages - 2 ? this.#one(team.handovers) : this.#assistantLine() };
    });
  }

  /** What a customer answers in a chat. */
  answer(): string {
    const { random, language, subject } = this.parts;
    if (language) return this.#one(language.sentences);
    return random.chance(0.45) ? this.#one(subject.details) : this.#one(random.chance(0.3) ? this.#context() : customer.answers);
  }

  comment(): string {
    const { random, subject } = this.parts;
    const pool = this.#isTrouble && random.chance(0.3) ? team.analyses : team.comments;
    return random.chance(0.35) && this.#isFresh(subject.causes) ? `${this.#one(subject.causes)}${random.chance(0.3) ? ` ${this.#one(pool)}` : ''}` : this.#one(pool);
  }

  note(): string {
    const { random, subject } = this.parts;
    return this.#one(random.chance(0.25) && this.#isFresh(subject.causes) ? subject.causes : team.notes);
  }

  /** A message to the customer on the way. */
  reply(): string {
    const { random } = this.parts;
    const body = random.chance(0.35) ? `${this.#one(team.replyBodies)} ${this.#one(team.replyBodies)}` : this.#one(team.replyBodies);
    return `${this.#one(team.replyOpenings)}\n\n${body}\n\n${this.#one(team.replyEndings)}`;
  }

  /** The message that solves it. */
  solution(): string {
    return `${this.#one(team.replyOpenings)}\n\n${this.#one(this.parts.subject.fixes)}\n\n${this.#one(team.replyEndings)}`;
  }

  /** What the team puts down when it is solved. */
  outcome(): string {
    const { random, subject } = this.parts;
    return this.#one(random.chance(0.6) && this.#isFresh(subject.causes) ? subject.causes : subject.fixes);
  }

  reopening(): string {
    return this.#one(this.parts.language?.sentences ?? customer.reopens);
  }

  closing(): string {
    return this.#one(team.closings);
  }

  deletion(): string {
    return this.#one(team.deletions);
  }

  #firstWords(): string {
    const { random, language } = this.parts;
    if (language) return this.#foreign(15);
    const hello = random.chance(0.6) ? `${this.#one(customer.greetings).replace(',', '!')} ` : '';
    return this.#withSlips(`${hello}${this.#problem()}`);
  }

  #assistantLine(): string {
    const chance = this.parts.random.next();
    if (chance < 0.4) return this.#one(team.findings);
    return chance < 0.7 && this.#isTrouble ? this.#one(team.tips) : this.#question();
  }

  #foreign(words: number): string {
    const { random, language } = this.parts;
    const [first, ...others] = language!.sentences;
    const last = others.pop()!;
    // Scripts without blanks count by the sentence.
    const count = Math.max(1, Math.min(others.length, Math.round(words / 12)));
    const middle = random.shuffled(others).slice(0, count);
    return [first!, ...middle, last].map((phrase) => this.#tell(phrase)).join(' ');
  }

  /** What it is about first, then whatever people add. */
  #sentences(core: readonly (readonly Phrase[])[], words: number): string[] {
    const { random, aside } = this.parts;
    const told = [this.#problem()];
    for (const pool of core) {
      if (wordsIn(told) > words) return told;
      told.push(this.#one(pool));
    }
    if (words > 90 && aside !== this.parts.subject) told.push(`By the way: ${this.#one(aside.problems)}`, this.#one(aside.details));
    if (random.chance(0.6)) told.push(this.#one(customer.impact));
    const more = this.#fill(this.#context, words - wordsIn(told));
    return random.chance(0.5) ? [...told, ...more] : [told[0]!, ...more, ...told.slice(1)];
  }

  #fill(pool: () => readonly Phrase[], words: number): string[] {
    const told: string[] = [];
    for (let left = words; left > 4 && told.length < 24; left -= wordsIn(told.slice(-1))) told.push(this.#one(pool()));
    return told;
  }

  /** Something does not work, as opposed to a question, a bill or a delivery. */
  get #isTrouble(): boolean {
    return this.parts.subject.field === 'technical';
  }

  #context = () => (this.#isTrouble && this.parts.random.chance(0.5) ? customer.trouble : customer.context);

  #question(): string {
    return this.#one(this.#isTrouble && this.parts.random.chance(0.7) ? team.diagnoses : team.questions);
  }

  #problem(): string {
    const { problems } = this.parts.subject;
    return this.#tell(problems[this.#which % problems.length]!);
  }

  #one(pool: readonly Phrase[]): string {
    const { random } = this.parts;
    const start = random.whole(0, pool.length - 1);
    const fresh = pool.findIndex((_, index) => !this.#said.has(pool[(start + index) % pool.length]!));
    return this.#tell(pool[(start + Math.max(0, fresh)) % pool.length]!);
  }

  #isFresh(pool: readonly Phrase[]): boolean {
    return pool.some((phrase) => !this.#said.has(phrase));
  }

  #tell(phrase: Phrase): string {
    this.#said.add(phrase);
    return phrase.say(this.parts.random, this.parts.facts.get);
  }

  /** One letter in twelve has slips of the keyboard: two letters of a long word in the wrong order. */
  #withSlips(text: string): string {
    const { random } = this.parts;
    if (!random.chance(0.08)) return text;
    const words = text.split(' ');
    for (let slips = random.whole(1, 3); slips > 0; slips--) {
      const at = random.whole(0, words.length - 1);
      const word = words[at]!;
      if (!/^[a-z]{5,}$/.test(word)) continue;
      const place = random.whole(1, word.length - 3);
      words[at] = word.slice(0, place) + word[place + 1]! + word[place]! + word.slice(place + 2);
    }
    return words.join(' ');
  }
}

const paragraphs = (texts: readonly string[]) => texts.filter(Boolean).join('\n\n');

function wordsIn(texts: readonly string[]): number {
  let count = 0;
  for (const text of texts) for (let at = text.indexOf(' '); at >= 0; at = text.indexOf(' ', at + 1)) count++;
  return count + texts.length;
}

import { describe, expect, it } from '@jest/globals';
import { Story } from '../../testing/stories.js';
import { asked, beginsWith, heard, ticketWords, wordLimits, wordsOf } from './words.js';

const nothing = { said: '', noted: '' };
const { ticket } = new Story({ number: 1042 }).create({
  title: 'Éclair für Straße',
  description: 'ΟΔΟΣ und ﬁn',
  requester: { id: 'cust_77', name: 'Zoë Ångström', email: 'zoe.a+x@mail.example.com' },
  tags: ['VIP client'],
});

describe('words', () => {
  it.each([
    ['Éclair', ['eclair']],
    ['Straße STRASSE', ['strasse']],
    ['ΟΔΟΣ οδός', ['οδοσ']],
    ['ﬁne Ⅳ', ['fine', 'iv']],
    ["don't stop", ['don', 't', 'stop']],
    ['a.b@c-d.e', ['a', 'b', 'c', 'd', 'e']],
    ['see #12, #abc', ['see', '#12', '12', 'abc']],
    ['id 0196F0A0-0000-7000-8000-0000000000C1!', ['id', '0196f0a0-0000-7000-8000-0000000000c1']],
    ['中文 русский हिन्दी', ['中文', 'русскии', 'हिनदी'.normalize('NFKD').replace(/\p{M}/gu, '')]],
    ['', []],
    ['… — !!! $.*', []],
  ])('of %p are %p', (text, words) => expect(wordsOf(text)).toEqual(words));

  it('are cut at 40 characters without breaking one', () => expect(wordsOf('𝔘'.repeat(60))).toEqual(['u'.repeat(40)]));

  it('of a ticket are those of its title, description, tags, number, id and requester', () => {
    const { tokens, open } = ticketWords(ticket, nothing);
    const people = ['cust', '77', 'zoe', 'angstrom', 'a', 'x', 'mail', 'example', 'com'];
    expect(new Set(tokens)).toEqual(new Set(['1042', '#1042', ticket.id, 'eclair', 'fur', 'strasse', 'οδοσ', 'und', 'fin', 'vip', 'client', ...people]));
    expect(open).toBeUndefined();
  });

  it('of notes are kept apart, and only where they say more', () => {
    expect(ticketWords(ticket, { said: 'hello', noted: 'hello eclair' })).not.toHaveProperty('open');
    const { tokens, open } = ticketWords(ticket, { said: 'hello', noted: 'hello secret' });
    expect(tokens).toEqual(expect.arrayContaining(['hello', 'secret']));
    expect(open).toContain('hello');
    expect(open).not.toContain('secret');
  });

  it('said longest ago go first when there are too many, and a repeated one counts as new', () => {
    const full = heard('', [Array.from({ length: 5 }, (_, i) => `w${i}`).join(' ')], 5);
    expect(heard(full, ['w0 w9'], 5)).toBe('w2 w3 w4 w0 w9');
    expect(heard(full, ['…'], 5)).toBe(full);
  });

  it('of a long description lose their end, never number, title or requester', () => {
    const long = new Story({ number: 7 }).create({ title: 'first', description: Array.from({ length: wordLimits.fields + 100 }, (_, i) => `w${i}`).join(' ') }).ticket;
    const { tokens } = ticketWords(long, nothing);
    expect(tokens).toHaveLength(wordLimits.fields);
    expect(tokens).toEqual(expect.arrayContaining(['7', '#7', 'first', 'w0']));
    expect(tokens).not.toContain(`w${wordLimits.fields}`);
  });

  it('of notes never take the place of what everybody finds', () => {
    const noted = Array.from({ length: wordLimits.noted }, (_, i) => `n${i}`).join(' ');
    const said = Array.from({ length: wordLimits.said }, (_, i) => `s${i}`).join(' ');
    const { open } = ticketWords(ticket, { said, noted });
    expect(open).toEqual(ticketWords(ticket, { said, noted: '' }).tokens);
  });
});

describe('a search', () => {
  it('asks for every word, the last one as a beginning', () => expect(asked('Straße ÉCL')).toEqual({ words: ['strasse'], prefix: 'ecl' }));
  it('asks once for a repeated word', () => expect(asked('a b a c')).toEqual({ words: ['a', 'b'], prefix: 'c' }));
  it('asks for the whole word where the beginning is one of the words', () => expect(asked('a b a')).toEqual({ words: ['a', 'b'], prefix: 'a' }));
  it.each(['', ' ', '.*', '$', '{}', '???', '\u0301'])('without a word (%p) asks for nothing that exists', (q) => expect(asked(q)).toBeUndefined());
  it.each(['$where', '.*where', '^where$', '(where', '[where]', '\\where'])('%p is the word in it', (q) => expect(asked(q)).toEqual({ words: [], prefix: 'where' }));
  it('takes #42 for a number and not for a text with 42', () => expect(asked('#42')).toEqual({ words: [], prefix: '#42' }));
  it('of 2,000 characters stays answerable', () => expect(asked('a b c d e f g h '.repeat(125) + Array.from({ length: 600 }, (_, i) => i.toString(36)).join(' '))!.words.length).toBeLessThanOrEqual(200));

  it('only ever begins: no character of a prefix means anything else', () => {
    expect(beginsWith('a.b').test('axb')).toBe(false);
    expect(beginsWith('#1').test('#12')).toBe(true);
    expect(beginsWith('b').test('ab')).toBe(false);
    expect(beginsWith('0196f0a0-').test('0196f0a0-0000')).toBe(true);
  });
});

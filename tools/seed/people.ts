import { Random } from './random.js';
import { cultures, type Culture } from './texts/names.js';

/** Somebody with a name. */
export interface Somebody {
  name: string;
  first: string;
  /** The name in small Latin letters, for addresses: `jose.garcia`. */
  latin: string;
  /** What they write in, when not in English. */
  language?: string;
}

/** A name as people write it and as addresses do. */
type Name = readonly [written: string, latin: string];
interface Names {
  culture: Culture;
  first: readonly Name[];
  last: readonly Name[];
}

const special: Readonly<Record<string, string>> = { ß: 'ss', ł: 'l', Ł: 'l', ø: 'o', Ø: 'o', đ: 'd', Đ: 'd', ı: 'i', æ: 'ae', Þ: 'th', ð: 'd' };
const plain = (text: string) =>
  text
    .replace(/[ßłŁøØđĐıæÞð]/g, (letter) => special[letter]!)
    .normalize('NFD')
    .toLowerCase()
    .replace(/[^a-z]/g, '');

const read = (name: string): Name => {
  const [written = '', latin = written] = name.split('/');
  return [written, plain(latin)];
};
const pools = cultures.map((culture): readonly [Names, number] => [{ culture, first: culture.first.map(read), last: culture.last.map(read) }, culture.share]);

/** Makes up somebody; some names are frequent, most are not. */
export function somebody(random: Random): Somebody {
  const { culture, first, last } = random.weighted(pools);
  const [given, givenLatin] = random.pick(first);
  const [family, familyLatin] = random.chance(0.5) ? last[random.rank(last.length)]! : random.pick(last);
  const name = culture.joined ? `${family}${given}` : `${given} ${family}`;
  return { name, first: given, latin: `${givenLatin}.${familyLatin}`, ...(culture.language !== undefined && { language: culture.language }) };
}

/** A customer of an organisation. */
export interface Customer extends Somebody {
  id: string;
  email: string;
}

const providers = ['mail.example', 'post.example', 'inbox.example', 'webmail.example', 'online.example', 'company.example', 'web.example', 'fastmail.example', 'uni.example', 'firma.example'];

/** The customer of this number: the same one whenever they write. */
export function customerOf(orgId: string, number: number): Customer {
  const random = new Random(`${orgId}/customer/${number}`);
  const person = somebody(random);
  const digits = random.chance(0.4) ? String(random.whole(1, 99)) : '';
  return { ...person, id: `c-${10_000 + number}`, email: `${person.latin}${digits}@${providers[random.rank(providers.length)]!}` };
}

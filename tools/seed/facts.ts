import { somebody, type Customer } from './people.js';
import type { Slot } from './phrase.js';
import type { Random } from './random.js';
import type { Industry } from './texts/subject.js';

/** What the facts of a case depend on. */
export interface Circumstances {
  customer: Customer;
  industry: Industry;
  /** First name of who works on it, and the names of others who may know more. */
  agent: string;
  mates: readonly string[];
  /** When it was opened, ms since the epoch. */
  at: number;
  /** What it is about. */
  product?: string;
  /** Dates as `2026-03-12`: the customer does not write English. */
  plainDates: boolean;
}

const dayMs = 86_400_000;
const months = 'January February March April May June July August September October November December'.split(' ');
const days = 'Sunday Monday Tuesday Wednesday Thursday Friday Saturday'.split(' ');
const cities = (
  'London|Berlin|Paris|Madrid|Vienna|Manchester|Hamburg|Lyon|Barcelona|Rome|Amsterdam|Dublin|Munich|Lisbon|Milan|Warsaw|Prague|Copenhagen|Stockholm|Birmingham|' +
  'Zürich|Brussels|Köln|Leeds|Porto|Kraków|Oslo|Helsinki|Glasgow|Marseille|Valencia|Naples|Frankfurt|Athens|Istanbul|Budapest|Bristol|Toulouse|Sevilla|Turin|' +
  'Rotterdam|Cork|Stuttgart|Coimbra|Gdańsk|Brno|Aarhus|Göteborg|Liverpool|Geneva|Antwerp|Düsseldorf|York|Braga|Łódź|Bergen|Tampere|Edinburgh|Nantes|Bilbao|' +
  'Palermo|Leipzig|Thessaloniki|Izmir|Pécs|Cardiff|Lille|Málaga|Bologna|Utrecht|Galway|Nuremberg|Faro|Wrocław|Ostrava|Odense|Malmö|Norwich|Basel|Ghent|Bremen|' +
  'Bath|Évora|Poznań|Trondheim|Turku|Aberdeen|Reims|Zaragoza|Verona|Groningen|Limerick|Kassel|Setúbal|Katowice|Aalborg|Uppsala|Exeter|Bern|Liège|Rostock|Oxford'
).split('|');
const streets = 'Harbour Road|Station Street|Mill Lane|Church Street|Garden Way|King Street|Bahnhofstraße|Rue de la Paix|Market Square|Oak Avenue|Victoria Road|Hauptstraße|Calle Mayor|Park Lane|Bridge Street|Via Roma|Lindenallee|School Lane|Rua do Sol|Castle Hill|Meadow Drive|Chestnut Close|Avenue Foch|Goethestraße|Elm Grove|Ferry Quay|Observatory Row|Tannery Yard|Old Brewery Lane|Windmill Rise'.split('|');
const devices = 'iPhone 15|Galaxy S24|laptop|iPad|Pixel 8|MacBook|tablet|iPhone 13|ThinkPad|Galaxy A54|desktop computer|Surface|Redmi Note 12|Fairphone 5|Xperia 10|Chromebook'.split('|');
const browsers = ['Chrome', 'Firefox', 'Safari', 'Edge', 'Opera', 'Vivaldi', 'Brave'];
const hotelKinds = ['Hotel', 'Grand Hotel', 'Pension', 'Villa', 'Hostel', 'Resort', 'Residence'];
const suffixes = ['Ltd', 'GmbH', 'Inc', 'AG', 'BV', 'Group', '& Sons', 'Logistics', 'Consulting', 'Trading', 'Partners', 'Studio'];
const fileNames = ['export', 'report', 'contacts', 'orders', 'screenshot', 'scan', 'customers', 'photo', 'log', 'statement', 'list', 'backup'];
const endings = ['csv', 'pdf', 'png', 'xlsx', 'jpg', 'txt', 'zip'];
const onsets = 'vel nor kas bri tal mor zen lum dar fi ost quin har cal wex pra so ul tri mav el gra jun pol rin sa teg von xan yor'.split(' ');
const middles = 'o a i e u ara eno ila osti umo anti eri ola iva ene'.split(' ');
const codas = 'ra nex dia lux mar don via tec sta lin va tron co mo nis pro gard sel'.split(' ');

/** A brand by its rank: every rank has a name of its own (30 × 15 × 18 of them). */
const brand = (rank: number) => {
  const mixed = (rank * 3_571) % (onsets.length * middles.length * codas.length);
  const [coda, rest] = [mixed % codas.length, Math.floor(mixed / codas.length)];
  const text = onsets[rest % onsets.length]! + middles[Math.floor(rest / onsets.length)]! + codas[coda]!;
  return text[0]!.toUpperCase() + text.slice(1);
};
const anyBrand = (random: Random) => brand(random.rank(8_000));
const money = (value: number) => `€${value.toFixed(2)}`;
const letters = (random: Random, count: number) => Array.from({ length: count }, () => 'ABCDEFGHJKLMNPQRSTUVWXYZ'[random.whole(0, 23)]).join('');
const digits = (random: Random, count: number) => String(random.whole(10 ** (count - 1), 10 ** count - 1));

type Maker = (random: Random, about: Circumstances) => string;
const before = (random: Random, { at }: Circumstances, most: number) => new Date(at - random.whole(1, most) * dayMs);
const dateText = (date: Date, { plainDates }: Circumstances) => (plainDates ? date.toISOString().slice(0, 10) : `${date.getUTCDate()} ${months[date.getUTCMonth()]}`);
const product: Maker = (random, { industry }) => {
  const kind = industry.goods[random.rank(industry.goods.length)]!;
  if (!random.chance(industry.branded)) return kind;
  return random.chance(0.5) ? `${anyBrand(random)} ${kind}` : `${anyBrand(random)} ${kind} ${random.whole(1, 99) * 10}`;
};

/** How each fact is made up. */
const makers: Readonly<Record<Slot, Maker>> = {
  order: (random) => `4${digits(random, 7)}`,
  invoice: (random) => `INV-${digits(random, 6)}`,
  product,
  other: (random, about) => {
    const fact = product(random, about);
    return fact === about.product ? product(random, about) : fact;
  },
  amount: (random) => money(random.around(85, 1.1)),
  price: (random) => money(random.around(14, 0.7)),
  day: (random) => days[random.whole(0, 6)]!,
  month: (random, about) => months[before(random, about, 90).getUTCMonth()]!,
  date: (random, about) => dateText(before(random, about, 30), about),
  later: (random, about) => dateText(new Date(about.at + random.whole(4, 45) * dayMs), about),
  city: (random) => cities[random.rank(cities.length)]!,
  street: (random) => `${random.rank(180) + 1} ${random.pick(streets)}`,
  name: (_, { customer }) => customer.first,
  full: (_, { customer }) => customer.name,
  agent: (_, { agent }) => agent,
  colleague: (random) => somebody(random).name,
  code: (random) => `E${1_000 + random.rank(6_000)}`,
  version: (random) => `${random.rank(12) + 1}.${random.whole(0, 14)}.${random.whole(0, 9)}`,
  count: (random) => String(random.rank(58) + 2),
  days: (random) => String(random.rank(13) + 2),
  last4: (random) => String(random.whole(0, 9_999)).padStart(4, '0'),
  email: (_, { customer }) => customer.email,
  tracking: (random) => `${letters(random, 2)}${digits(random, 9)}`,
  device: (random) => devices[random.rank(devices.length)]!,
  browser: (random) => browsers[random.rank(browsers.length)]!,
  booking: (random) => letters(random, 6),
  flight: (random) => `${letters(random, 2)}${digits(random, 4)}`,
  hotel: (random) => `${random.pick(hotelKinds)} ${anyBrand(random)}`,
  company: (random) => `${anyBrand(random)} ${suffixes[random.rank(suffixes.length)]!}`,
  time: (random) => `${random.whole(6, 22)}:${String(random.whole(0, 11) * 5).padStart(2, '0')}`,
  mate: (random, { mates }) => random.pick(mates),
  file: (random) => `${random.pick(fileNames)}_${random.rank(900) + 1}.${random.pick(endings)}`,
};

/** The facts of one case: made up when first named, and the same from then on. */
export class Facts {
  readonly #known: Partial<Record<Slot, string>> = {};

  constructor(
    private readonly random: Random,
    private readonly about: Circumstances,
  ) {}

  get = (slot: Slot): string => (this.#known[slot] ??= makers[slot](this.random, slot === 'other' ? { ...this.about, product: this.get('product') } : this.about));
}

/** Name of a company that does not exist. */
export const companyName = (random: Random) => makers.company(random, {} as Circumstances);

import type { DirectorySeed } from '#contracts';

export type Organisation = DirectorySeed['organisations'][number];

/** An organisation with the people of the demo's `acme`: administrator `ada`; members `grace` (`billing-bot`) and `linus` (`tech-bot`). */
export function organisation(id: string): Organisation {
  const person = (sub: string, name: string, role: 'admin' | 'member') => ({ id: sub, name, email: `${sub}@${id}.example`, role });
  return {
    id,
    name: id,
    members: [person('ada', 'Ada Lovelace', 'admin'), person('grace', 'Grace Hopper', 'member'), person('linus', 'Linus Pauling', 'member')],
    assistants: [
      { id: 'billing-bot', name: 'Billing assistant', memberIds: ['grace'] },
      { id: 'tech-bot', name: 'Technical assistant', memberIds: ['linus'] },
    ],
  };
}

import { readSigner, signerFile, signToken } from '../issuer/signer.js';
import { readOrganisations } from '../issuer/people.js';
import { demoDirectory } from '../places.js';

/** One request that somebody makes about a ticket; the path is below the ticket. */
interface Step {
  by: string;
  path: string;
  body: object;
}

interface DemoTicket {
  by: string;
  ticket: { title: string; [field: string]: unknown };
  then?: Step[];
}

const requester = (name: string) => ({ id: name.toLowerCase().replace(' ', '.'), name, email: `${name.toLowerCase().replace(' ', '.')}@customer.example` });

/** People are `<organisation>/<person>`. The order is the age: the first is the oldest. */
const tickets: DemoTicket[] = [
  {
    by: 'acme/grace',
    ticket: {
      title: 'Charged twice for March',
      description: 'The card statement shows the March invoice two times, on the 3rd and on the 4th. Only one invoice is in the account.',
      priority: 'high',
      assistantId: 'billing-bot',
      requester: requester('Maria Silva'),
      tags: ['billing', 'refund'],
      customFields: { invoice: 'INV-2041', amount: 49.9 },
    },
    then: [
      { by: 'acme/grace', path: 'take', body: {} },
      { by: 'acme/grace', path: 'transitions', body: { to: 'pending', comment: 'The payment provider confirms two charges.' } },
      { by: 'acme/grace', path: 'replies', body: { body: 'We see both charges and have asked for the second one to be paid back. It takes three to five days.' } },
      { by: 'acme/ada', path: 'notes', body: { body: 'Third case this month: the retry of the payment job does not look for an earlier charge.' } },
    ],
  },
  {
    by: 'acme/linus',
    ticket: {
      title: 'Export stops at 10,000 rows',
      description: 'The CSV export of our orders always ends after 10,000 rows, without an error.',
      assistantId: 'tech-bot',
      requester: requester('Jonas Weber'),
      tags: ['export', 'bug'],
    },
    then: [
      { by: 'acme/linus', path: 'comments', body: { body: 'Reproduced with the test account. The limit comes from the report page, the export reuses its query.' } },
      { by: 'acme/linus', path: 'transitions', body: { to: 'pending' } },
      { by: 'acme/linus', path: 'transitions', body: { to: 'resolved', comment: 'Exports now read without the limit of the page.' } },
    ],
  },
  {
    by: 'acme/linus',
    ticket: {
      title: 'Sign-in link never arrives',
      description: 'Several colleagues wait for the e-mail with the sign-in link. It is not in the junk folder either.',
      priority: 'urgent',
      assistantId: 'tech-bot',
      requester: requester('Amina Diallo'),
      tags: ['sign-in', 'e-mail'],
    },
  },
  {
    by: 'acme/ada',
    ticket: {
      title: 'Change the billing address',
      description: 'We have moved. Please use the new address from the next invoice on: 12 Harbour Road.',
      priority: 'low',
      assistantId: 'billing-bot',
      requester: requester('Tomasz Nowak'),
      tags: ['billing'],
    },
  },
  {
    by: 'acme/ada',
    ticket: { title: 'Agree on answers for the price change', description: 'The assistants need the same wording before the announcement.', tags: ['internal'] },
  },
  {
    by: 'globex/hank',
    ticket: {
      title: 'Quote for 250 seats',
      description: 'They want yearly billing and ask for a discount above 200 seats.',
      priority: 'high',
      assistantId: 'sales-bot',
      requester: requester('Eleanor Shaw'),
      tags: ['sales'],
    },
    then: [{ by: 'globex/hank', path: 'take', body: {} }],
  },
  {
    by: 'globex/hank',
    ticket: {
      title: 'Trial ends before the review',
      description: 'Their purchase committee meets a week after the trial ends. Can it be longer?',
      assistantId: 'sales-bot',
      requester: requester('Priya Raman'),
      tags: ['sales', 'trial'],
    },
  },
];

/**
 * Makes the demo tickets through the gateway. Each request has an idempotency key of its own, so a later start adds
 * nothing, and one that was cut short is completed.
 */
export async function makeDemoTickets(gateway: string, dataDir: string): Promise<void> {
  const tokens = tokensOfEverybody(dataDir);
  for (const [index, { by, ticket, then = [] }] of tickets.entries()) {
    const send = (path: string, who: string, body: object, step: number) =>
      post(`${gateway}/v1/tickets${path}`, { token: tokens.get(who)!, key: `demo-${index}-${step}`, body });
    const { id } = await send('', by, ticket, 0);
    for (const [step, { by: who, path, body }] of then.entries()) await send(`/${id}/${path}`, who, body, step + 1);
  }
}

/** Posts and returns the ticket's id, whether the outcome is known already (201) or not (202). */
async function post(url: string, { token, key, body }: { token: string; key: string; body: object }): Promise<{ id: string }> {
  const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json', 'idempotency-key': key };
  const response = await fetch(url, { method: 'POST', headers, body: JSON.stringify(body), signal: AbortSignal.timeout(10_000) });
  const answer = (await response.json()) as { id: string; ticketId?: string; title?: string; detail?: string };
  if (!response.ok) throw new Error(`${new URL(url).pathname} answered ${response.status} ${answer.detail ?? answer.title ?? ''}`);
  return { id: answer.ticketId ?? answer.id };
}

function tokensOfEverybody(dataDir: string): Map<string, string> {
  const signer = readSigner(signerFile(dataDir))!;
  const people = readOrganisations(demoDirectory).flatMap((organisation) => organisation.people);
  return new Map(people.map((person) => [`${person.org}/${person.sub}`, signToken(signer, { ...person, ttl: 300 })]));
}

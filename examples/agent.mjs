/**
 * An assistant's agent works a ticket from the conversation to its resolution.
 *
 *   npm run build:client && npm install --prefix examples --no-package-lock
 *   DESKSTREAM_URL=http://127.0.0.1:3000 DESKSTREAM_KEY=dsk_… node examples/agent.mjs
 *
 * Its API key needs the scopes tickets:read, tickets:write, tickets:transition and replies:write.
 */
import { Deskstream, DeskstreamNoAnswer, DeskstreamProblem } from '@deskstream/client';

const { DESKSTREAM_URL: baseUrl, DESKSTREAM_KEY: token } = process.env;
if (!baseUrl || !token) {
  console.error('Set DESKSTREAM_URL to the address of the gateway, and DESKSTREAM_KEY to an API key.');
  process.exit(1);
}
const desk = new Deskstream({ baseUrl, token, retryForMs: 20_000 });

/** Stands for what an agent has tools for. */
const findInvoice = async ({ number = 0 }) => ({ number, charged: 149, agreed: 129 });

async function work() {
  const { name, orgId } = await desk.me();
  console.log(`I am ${name} of ${orgId}.`);

  const { id, number } = await desk.tickets.create({
    title: 'Invoice 4711 shows the wrong amount',
    priority: 'high',
    requester: { name: 'Rita Mäkelä', email: 'rita@example.com' },
    tags: ['invoice'],
    conversation: {
      messages: [
        { role: 'user', content: 'You charged me 149 for invoice 4711. We agreed on 129.' },
        { role: 'assistant', content: 'I am sorry about that. I open a ticket and look at the invoice.' },
      ],
    },
  });
  console.log(`Opened ticket #${number} (${id}) with the conversation so far.`);

  const began = performance.now();
  const invoice = await findInvoice({ number: 4711 });
  await desk.tickets.recordToolCall(id, { tool: 'find-invoice', arguments: { number: 4711 }, status: 'ok', result: invoice, durationMs: Math.round(performance.now() - began) });
  console.log(`Looked the invoice up: ${invoice.charged} charged, ${invoice.agreed} agreed.`);

  await desk.tickets.move(id, { to: 'pending' });
  await desk.tickets.comment(id, `The offer says ${invoice.agreed}: a credit note over ${invoice.charged - invoice.agreed} is due.`);
  console.log('Took it up, and left a comment for the team.');

  await desk.tickets.reply(id, `You are right, Rita: we agreed on ${invoice.agreed}. May we set the difference off against your next invoice?`);
  console.log('Asked the customer.');

  await desk.tickets.appendMessages(id, [{ role: 'user', content: 'Yes, please.' }]);
  const { status, version } = await desk.tickets.move(id, { to: 'resolved', comment: 'The customer agreed.' });
  console.log(`The customer agreed: the ticket is ${status}.`);

  console.log('What happened:');
  for await (const event of desk.tickets.timeline(id, {}, { minVersion: version })) console.log(`  ${event.version}. ${event.type}`);
}

try {
  await work();
} catch (error) {
  if (error instanceof DeskstreamProblem) console.error(`Deskstream said no: ${error.message} (request ${error.requestId})`);
  else if (error instanceof DeskstreamNoAnswer) console.error(`Nobody answered at ${baseUrl}: ${error.message}`);
  else throw error;
  process.exitCode = 1;
}

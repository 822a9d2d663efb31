/**
 * An enterprise system that publishes 1,000 records and awaits what becomes of every one.
 *
 *   npm run build:client && npm install --prefix examples --no-package-lock
 *   KAFKA_BROKERS=127.0.0.1:9092 DESKSTREAM_ORG=acme node examples/enterprise.mjs
 *
 * An administrator of the organisation registers the system (POST /v1/producers) with the id `crm`, or the one in DESKSTREAM_SYSTEM, and
 * lets it `create`, `add-comment` and `change-status`.
 */
import { OutsideSystem } from '@deskstream/client/kafka';
import { Kafka, logLevel } from 'kafkajs';

const { KAFKA_BROKERS: brokers, DESKSTREAM_ORG: orgId, DESKSTREAM_SYSTEM: system = 'crm' } = process.env;
if (!brokers || !orgId) {
  console.error('Set KAFKA_BROKERS to the addresses of the brokers, and DESKSTREAM_ORG to the organisation that has registered the system.');
  process.exit(1);
}

const kafka = new Kafka({ clientId: system, brokers: brokers.split(','), logLevel: logLevel.NOTHING });
const desk = await OutsideSystem.connect({ kafka, system }).catch((/** @type {Error} */ error) => {
  console.error(`Not connected: ${error.message}`);
  process.exit(1);
});

/**
 * Four records of one order, in order: the last one is refused, for a ticket is not closed before it is resolved.
 * @type {(externalId: string) => import('@deskstream/client/kafka').InboundRecord[]}
 */
const recordsOf = (externalId) => {
  const ticket = { orgId, externalId };
  return [
    { ...ticket, type: 'create', data: { title: `Order ${externalId} was delivered broken`, priority: 'high', tags: ['delivery'], requester: { email: 'rita@example.com' } } },
    { ...ticket, type: 'add-comment', data: { kind: 'comment', body: 'The carrier has been told.' } },
    { ...ticket, type: 'change-status', data: { to: 'pending' } },
    { ...ticket, type: 'change-status', data: { to: 'closed' } },
  ];
};

try {
  const day = new Date().toISOString().slice(0, 10);
  const orders = Array.from({ length: 250 }, (_, index) => `${day}-${process.pid}-${index + 1}`);
  const records = orders.flatMap(recordsOf);
  const began = performance.now();
  // An id that is the order's and the step's own: whoever runs this again after a crash, with the same orders, changes nothing.
  const outcomes = await Promise.all(records.map((record, index) => desk.send(record, { id: `${record.externalId}/${index % 4}` })));
  const seconds = (performance.now() - began) / 1_000;

  console.log(`${outcomes.length} records published and answered in ${seconds.toFixed(1)} s.`);
  for (const outcome of /** @type {const} */ (['applied', 'unchanged', 'rejected'])) console.log(`  ${outcome}: ${outcomes.filter((told) => told.outcome === outcome).length}`);
  const refused = outcomes.find(({ outcome }) => outcome === 'rejected');
  if (refused) console.log(`The first refusal, of ${refused.id}: ${refused.problem?.detail}`);
  const last = outcomes.findLast(({ outcome }) => outcome === 'applied');
  if (last) console.log(`The last ticket: #${last.ticket?.number}, ${last.ticket?.status}, version ${last.version}.`);
} finally {
  await desk.close();
}

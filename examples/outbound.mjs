/**
 * An enterprise system that is told what happens on its tickets, and books how long each took.
 *
 *   npm run build:client && npm install --prefix examples --no-package-lock
 *   KAFKA_BROKERS=127.0.0.1:9092 node examples/outbound.mjs
 *
 * An administrator of the organisation registers the system (POST /v1/producers) with the id `crm`, or the one in DESKSTREAM_SYSTEM, and with
 * `"outbound": {}`. Runs until it is stopped (Ctrl-C), and goes on from there when it is started again.
 */
import { followEvents } from '@deskstream/client/kafka';
import { Kafka, logLevel } from 'kafkajs';

const { KAFKA_BROKERS: brokers, DESKSTREAM_SYSTEM: system = 'crm' } = process.env;
if (!brokers) {
  console.error('Set KAFKA_BROKERS to the addresses of the brokers.');
  process.exit(1);
}

/** The newest version of each ticket that was booked. A system of yours keeps it beside its books, written together with them. */
const booked = new Map();

/** @param {import('@deskstream/client/kafka').OutboundEvent} event */
function book(event) {
  const { orgId, ticketId, version, ticket, actor } = event;
  // Every event comes at least once, those of a ticket in order: what is not newer came before.
  if (version <= (booked.get(ticketId) ?? 0)) return;
  booked.set(ticketId, version);
  console.log(`${orgId} #${ticket.number} ${event.type} by ${actor.name}${toldOf(event)}`);
}

/**
 * Its `type` tells what is in an event's `data`; types that are not known yet may come.
 * @param {import('@deskstream/client/kafka').OutboundEvent} event
 */
function toldOf(event) {
  if (event.type === 'created') return `: ${event.data.title}`;
  if (event.type === 'comment-added') return `: ${event.data.comment.body}`;
  if (event.type !== 'status-changed') return '';
  const hours = (Date.parse(event.at) - Date.parse(event.ticket.createdAt)) / 3_600_000;
  return `: ${event.data.from} -> ${event.data.to} after ${hours.toFixed(1)} h`;
}

const kafka = new Kafka({ clientId: system, brokers: brokers.split(','), logLevel: logLevel.NOTHING });
const following = await followEvents({ kafka, system }, book).catch((/** @type {Error} */ error) => {
  console.error(`Not told anything (${error.message}). Is ${system} registered with "outbound"?`);
  process.exit(1);
});
console.log(`Following what happens on the tickets of ${system}.`);
for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, () => void following.close());

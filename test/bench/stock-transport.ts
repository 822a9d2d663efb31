/**
 * Reference (b): the same commands through the framework's stock Kafka transport, one message at a time with request-reply. Same decision, same
 * commit, same event; the answer goes back as the transport's reply. Prints how many it has answered, once a second.
 */
import 'reflect-metadata';
import { Controller, Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { Ctx, KafkaContext, MessagePattern, Transport, type MicroserviceOptions } from '@nestjs/microservices';
import { topics } from '#contracts';
import { RecordProducer, type IncomingRecord } from '#messaging';
import { MongoCommitLog, NumberBlocks, openDatabase, prepareCommits } from '#persistence';
import { readCommands } from '../../apps/ticket-command/src/command-record.js';
import { KnownTickets } from '../../apps/ticket-command/src/known-tickets.js';
import { Outcomes } from '../../apps/ticket-command/src/outcomes.js';
import { TicketHandler } from '../../apps/ticket-command/src/ticket.handler.js';

/** Topic of the reference's commands; replies go to the same name with `.reply`. */
const stockTopic = 'bench.stock.commands';

const brokers = process.env['KAFKA_BROKERS']!.split(',');
const store = openDatabase({ uri: process.env['MONGODB_URI']!, database: 'bench_stock' });
const producer = new RecordProducer({ brokers, clientId: 'bench-stock' });
const eventsOnly = { send: async (records: Parameters<RecordProducer['send']>[0]) => (records[0]?.topic === topics.events ? producer.send(records) : undefined) };
const handler = new TicketHandler(new MongoCommitLog(store), new NumberBlocks(store), new Outcomes(eventsOnly, { send: async () => undefined }), new KnownTickets());
let answered = 0;

@Controller()
class StockController {
  @MessagePattern(stockTopic)
  async handle(@Ctx() context: KafkaContext): Promise<string> {
    const { key, value, headers, offset, timestamp } = context.getMessage();
    const record = {
      topic: context.getTopic(),
      partition: context.getPartition(),
      offset,
      timestamp,
      key: Buffer.from(String(key)),
      value: Buffer.from(JSON.stringify(value)),
      headers: Object.fromEntries(Object.entries(headers ?? {}).map(([name, text]) => [name, String(text)])),
      rawHeaders: [],
    } satisfies IncomingRecord;
    const { received } = readCommands([record]);
    await handler.handle(received, false);
    answered += 1;
    return 'applied';
  }
}

@Module({ controllers: [StockController] })
class StockModule {}

await prepareCommits(store);
await producer.connect();
const app = await NestFactory.createMicroservice<MicroserviceOptions>(StockModule, {
  transport: Transport.KAFKA,
  options: { client: { brokers, clientId: 'bench-stock' }, consumer: { groupId: 'bench-stock', allowAutoTopicCreation: false }, subscribe: { fromBeginning: true } },
  logger: ['error'],
});
await app.listen();
setInterval(() => process.stdout.write(`${answered}\n`), 250);
process.on('SIGTERM', () => process.exit(0));

/** Reference (a): a bare server that inserts one document per POST, majority and journaled. Prints its address when it listens. */
import { randomUUID } from 'node:crypto';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import mongoose from 'mongoose';

const client = await new mongoose.mongo.MongoClient(process.env['MONGODB_URI']!, { maxPoolSize: 64 }).connect();
const documents = client.db('bench_reference').collection<{ _id: string }>('documents', { writeConcern: { w: 'majority', journal: true } });

const server = createServer((request, response) => {
  const chunks: Buffer[] = [];
  request.on('data', (chunk: Buffer) => chunks.push(chunk));
  request.on('end', () => {
    const document = { _id: randomUUID(), ...(JSON.parse(Buffer.concat(chunks).toString()) as object), createdAt: new Date().toISOString() };
    documents.insertOne(document).then(
      () => response.writeHead(201, { 'content-type': 'application/json' }).end(JSON.stringify(document)),
      (error: unknown) => response.writeHead(500).end(String(error)),
    );
  });
});
server.listen(0, '127.0.0.1', () => process.stdout.write(`http://127.0.0.1:${(server.address() as AddressInfo).port}\n`));
process.on('SIGTERM', () => process.exit(0));

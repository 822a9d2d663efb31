/** Resolves when the server does a piece of work that needs its storage. */
export async function mongodbAnswers(uri: string, timeoutMs = 2_000): Promise<void> {
  const { default: mongoose } = await import('mongoose'); // Large; who only needs a leash or a port does without it.
  const client = new mongoose.mongo.MongoClient(uri, { serverSelectionTimeoutMS: timeoutMs, connectTimeoutMS: timeoutMs });
  try {
    await client.db('admin').command({ listDatabases: 1, nameOnly: true });
  } finally {
    await client.close();
  }
}

/** Direct: a client that looked for a replica set would only wait for one. */
export function mongodbAddress(port: number): string {
  return `mongodb://127.0.0.1:${port}/?directConnection=true`;
}

import mongoose from 'mongoose';

const { MongoError, MongoServerError } = mongoose.mongo;

/** Trouble of the store that passes: whoever meets it waits and tries again. The mark `passes` is what messaging looks for. */
export class StoreFault extends Error {
  readonly passes = true;

  constructor(cause: unknown) {
    super(`the store cannot do it right now: ${cause instanceof Error ? cause.message : String(cause)}`, { cause });
    this.name = 'StoreFault';
  }
}

/** Two writers touched the same documents in different order (PostgreSQL-based engines); the loser only has to try again. */
const deadlock = 16_908_292;

/** Server codes of trouble that passes: shut-downs, fail-overs, lost or full connections (MongoDB's error_codes.yml, categories Interruption, NotPrimaryError, ShutdownError, NetworkError). */
const passing = new Set([
  6, 7, 24, 46, 50, 63, 84, 89, 91, 112, 134, 150, 189, 234, 262, 290, 365, 384, 402, 9001, 10_058, 10_107, 11_600, 11_602, 13_388, 13_435, 13_436, deadlock,
]);
const passingLabels = ['RetryableWriteError', 'TransientTransactionError', 'RetryableError', 'NetworkError', 'PoolRequestedRetry', 'ResetPool'];

/** Whether an error of the driver is trouble that passes. An error that the server gave for what was asked is not. */
export function isPassing(error: unknown): boolean {
  if (error instanceof StoreFault) return true;
  if (!(error instanceof MongoError)) return false;
  if (!(error instanceof MongoServerError)) return isDriverTrouble(error);
  return passing.has(Number(error.code)) || passingLabels.some((label) => error.hasErrorLabel(label));
}

/** The driver's own errors are about reaching the server, but for those that blame the caller. */
const isDriverTrouble = ({ name }: Error) =>
  /^Mongo(Network|NetworkTimeout|ServerSelection|PoolCleared|PoolClosed|WaitQueueTimeout|TopologyClosed|NotConnected|ServerClosed|ConnectionPool|OperationTimeout|ClientClosed|ExpiredSession)/.test(name);

/** Runs an operation of the store; trouble that passes becomes a `StoreFault`, anything else stays what it is. */
export async function guarded<T>(operation: () => Promise<T>): Promise<T> {
  try {
    return await operation();
  } catch (error) {
    throw isPassing(error) ? new StoreFault(error) : error;
  }
}

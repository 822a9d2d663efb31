import mongoose from 'mongoose';

const { MongoBulkWriteError, MongoError, MongoServerError } = mongoose.mongo;

/** Trouble of the store: what was asked could not be done right now, and nothing is wrong with what was asked. */
export class StoreFault extends Error {
  /**
   * The mark that messaging looks for: whoever meets it waits and tries again. False where the error alone does not tell, and only the store's
   * health can.
   */
  readonly passes: boolean;

  constructor(cause: unknown) {
    super(`the store cannot do it right now: ${cause instanceof Error ? cause.message : String(cause)}`, { cause });
    this.name = 'StoreFault';
    this.passes = !isUnclear(cause);
  }
}

/** Two writers touched the same documents in different order (PostgreSQL-based engines); the loser only has to try again. */
const deadlock = 16_908_292;

/**
 * Server codes of trouble that passes (MongoDB's error_codes.yml): shut-downs, fail-overs, lost or full connections, interruptions, cursors that
 * ended with the server that held them, members or disk space that are missing.
 */
const passing = new Set([
  6, 7, 24, 43, 46, 50, 63, 64, 84, 89, 91, 100, 112, 133, 134, 150, 175, 189, 202, 234, 237, 262, 290, 365, 384, 402, 9001, 10_058, 10_107, 11_600,
  11_601, 11_602, 13_388, 13_435, 13_436, 14_031, deadlock,
]);
const passingLabels = ['RetryableWriteError', 'TransientTransactionError', 'RetryableError', 'NetworkError', 'PoolRequestedRetry', 'ResetPool'];

/** The server did not expect it itself. PostgreSQL-based engines say so whenever their database is lost, shutting down or recovering. */
const internalError = 1;
const isUnclear = (error: unknown) => error instanceof MongoServerError && error.code === internalError;

/** `MaxTimeMSExpired` */
const timeIsUp = 50;

/** Whether the server gave a question up because it took longer than it was given. */
export const isTimeUp = (error: unknown): boolean => error instanceof MongoServerError && error.code === timeIsUp;

/** Whether an error of the driver is trouble of the store. An error that the server gave for what was asked is not. */
export function isPassing(error: unknown): boolean {
  if (error instanceof StoreFault) return true;
  if (!(error instanceof MongoError)) return false;
  if (!(error instanceof MongoServerError)) return isDriverTrouble(error);
  if (error instanceof MongoBulkWriteError && error.errorResponse instanceof MongoError) return isPassing(error.errorResponse);
  return isUnclear(error) || passing.has(Number(error.code)) || passingLabels.some((label) => error.hasErrorLabel(label));
}

/** The driver's own errors are about reaching the server, but for those that blame the caller. */
const isDriverTrouble = ({ name }: Error) =>
  /^Mongo(Network|NetworkTimeout|ServerSelection|PoolCleared|PoolClosed|WaitQueueTimeout|TopologyClosed|NotConnected|ServerClosed|ConnectionPool|OperationTimeout|ClientClosed|ExpiredSession)/.test(name);

/** Runs an operation of the store; trouble of the store becomes a `StoreFault`, anything else stays what it is. */
export async function guarded<T>(operation: () => Promise<T>): Promise<T> {
  try {
    return await operation();
  } catch (error) {
    throw isPassing(error) && !(error instanceof StoreFault) ? new StoreFault(error) : error;
  }
}

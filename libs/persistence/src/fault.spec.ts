import { describe, expect, it } from '@jest/globals';
import mongoose from 'mongoose';
import { guarded, isPassing, StoreFault } from './index.js';

const { BulkWriteResult, MongoBulkWriteError, MongoServerError } = mongoose.mongo;
const driver = mongoose.mongo as unknown as Record<string, new (...values: never[]) => Error>;

const server = (code: number, labels: string[] = []) => new MongoServerError({ message: `code ${code}`, code, errorLabels: labels });
/** As the driver wraps what ends a bulk write before any document was answered for. */
const bulk = (cause: Error) => new MongoBulkWriteError(cause as never, { ok: 0 } as unknown as InstanceType<typeof BulkWriteResult>);
const network = () => Reflect.construct(driver['MongoNetworkError']!, ['connection closed']) as Error;

describe('faults of the store', () => {
  it.each([
    'MongoNetworkError',
    'MongoNetworkTimeoutError',
    'MongoServerSelectionError',
    'MongoTopologyClosedError',
    'MongoNotConnectedError',
    'MongoServerClosedError',
    'MongoClientClosedError',
    'MongoOperationTimeoutError',
    'MongoExpiredSessionError',
  ])('the driver’s %s passes', (name) => {
    const error = Object.assign(Object.create(driver[name]!.prototype as object) as Error, { message: 'x' });
    expect(error.name).toBe(name);
    expect(isPassing(error)).toBe(true);
  });

  it.each([
    ['HostUnreachable', 6],
    ['MaxTimeMSExpired', 50],
    ['WriteConcernTimeout', 64],
    ['NetworkTimeout', 89],
    ['ShutdownInProgress', 91],
    ['WriteConflict', 112],
    ['PrimarySteppedDown', 189],
    ['CursorNotFound', 43],
    ['NotWritablePrimary', 10_107],
    ['InterruptedAtShutdown', 11_600],
    ['Interrupted', 11_601],
    ['OutOfDiskSpace', 14_031],
    ['a deadlock of PostgreSQL', 16_908_292],
  ])('the server’s %s passes', (_, code) => {
    expect(isPassing(server(code))).toBe(true);
    expect(new StoreFault(server(code)).passes).toBe(true);
  });

  it.each([
    ['BadValue', 2],
    ['Unauthorized', 13],
    ['TypeMismatch', 14],
    ['Overflow', 15],
    ['AuthenticationFailed', 18],
    ['NamespaceNotFound', 26],
    ['CommandNotFound', 59],
    ['DocumentValidationFailure', 121],
    ['BSONObjectTooLarge', 10_334],
    ['DuplicateKey', 11_000],
  ])('the server’s %s stays', (_, code) => expect(isPassing(server(code))).toBe(false));

  it('what the server labels as worth another try passes', () => expect(isPassing(server(999, ['RetryableWriteError']))).toBe(true));

  it('an internal error of the server is its trouble, but whether it passes is for its health to tell', () => {
    expect(isPassing(server(1))).toBe(true);
    expect(new StoreFault(server(1)).passes).toBe(false);
  });

  it('a connection that is lost in a bulk write passes', () => {
    expect(isPassing(bulk(network()))).toBe(true);
    expect(isPassing(bulk(server(91)))).toBe(true);
    expect(isPassing(bulk(server(15)))).toBe(false);
  });

  it.each([new Error('x'), new TypeError('x'), Object.assign(new Error('x'), { code: 91 }), 'text', null, undefined, { passes: true }])('%p is no trouble of the store', (error) =>
    expect(isPassing(error)).toBe(false));

  it('the driver blaming the caller is no trouble of the store', () => {
    expect(isPassing(Reflect.construct(driver['MongoInvalidArgumentError']!, ['x']))).toBe(false);
    expect(isPassing(Reflect.construct(driver['MongoAPIError']!, ['x']))).toBe(false);
  });
});

describe('guarded', () => {
  it('gives what the operation gives', async () => expect(await guarded(() => Promise.resolve(7))).toBe(7));

  it('tells trouble as a fault, once, with its cause', async () => {
    const cause = network();
    const fault = (await guarded(() => Promise.reject(cause)).catch((error: unknown) => error)) as StoreFault;
    expect(fault).toBeInstanceOf(StoreFault);
    expect(fault).toMatchObject({ cause, passes: true });
    await expect(guarded(() => Promise.reject(fault))).rejects.toBe(fault);
  });

  it('leaves any other error as it is', async () => {
    const error = server(11_000);
    await expect(guarded(() => Promise.reject(error))).rejects.toBe(error);
  });
});

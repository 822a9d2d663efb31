import { applyDecorators, Catch, UseFilters, type RpcExceptionFilter } from '@nestjs/common';
import { EventPattern } from '@nestjs/microservices';
import { throwError, type Observable } from 'rxjs';

export interface SubscribeOptions {
  readonly topic: string;
  /** `<service>.<purpose>`: instances of a service share it and divide the partitions. */
  readonly group: string;
  /** Where a group without committed offsets starts; `beginning` unless told otherwise, since the end would lose records. */
  readonly startFrom?: 'beginning' | 'end';
  /** Every instance reads everything: a group of its own, from the end at its start, without commits. */
  readonly perInstance?: boolean;
  /** Records of a round at most (1,000). */
  readonly maxRecords?: number;
  /** Rounds begin at least so far apart, ms (0): under load fewer and larger ones, while a record that comes alone is handled at once. */
  readonly paceMs?: number;
  /** Gives way: while other subscriptions of the service have work, it rests twice as long as each of its rounds took; longer in a peak of some seconds, and while they are behind (false). */
  readonly isBackground?: boolean;
  /** Members of the group in this process (1): two keep two rounds in flight, on disjoint partitions. */
  readonly lanes?: number;
}

/** Keeps these handlers to `RoundTransport` when an application has other transports too. */
export const roundTransportId = Symbol('deskstream.rounds');

export const subscriptionOf = (extras: Record<string, unknown> | undefined): SubscribeOptions | undefined =>
  extras?.['subscription'] as SubscribeOptions | undefined;

/** Nest turns what it does not know into `{ status: 'error', message }`; the transport must see what was really thrown. */
@Catch()
class Rethrow implements RpcExceptionFilter {
  catch(error: unknown): Observable<never> {
    return throwError(() => error);
  }
}

/**
 * Makes a controller method `(round: Round) => Promise<DeadLetter[] | void>` the handler of a topic. When it returns, every record of
 * the round is done but those it names as dead letters. It may see records again and must not mind. It throws a `Fault` for trouble
 * that passes; anything else it throws is narrowed down to a record and that one becomes a dead letter.
 */
export const Subscribe = (options: SubscribeOptions): MethodDecorator =>
  applyDecorators(
    EventPattern({ topic: options.topic, group: options.group }, roundTransportId, { subscription: options }),
    UseFilters(Rethrow),
  );

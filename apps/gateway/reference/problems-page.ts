import { DeadLetterReason, problems, type ProblemName } from '#contracts';
import { inline, pageOf, worded } from './page.js';

/** What each problem means, and what to do about it. */
const remedies: Record<ProblemName, string> = {
  'malformed-request': 'The request could not be read: its JSON, its encoding, a header or an id in its path is not well formed, or it has a key that is never allowed. Mend it; the same request fails again.',
  'idempotency-key-invalid': '`Idempotency-Key` has 1 to 255 printable ASCII characters.',
  unauthenticated: 'Send a valid bearer token of the issuer, or an API key that has neither expired nor been deleted.',
  forbidden: '`missing` names the scope or role that this needs. An administrator can grant it.',
  'not-found': 'There is none, or it is not yours to see: both look the same.',
  'method-not-allowed': '`Allow` names the methods that the address has.',
  'not-acceptable': 'Answers are JSON (the stream is `text/event-stream`, exports what they were asked for). Leave `Accept` out, or take that.',
  'invalid-transition': '`from` is the status now, `allowed` are the moves that you may make from it. Of dead letters: what was decided already is not decided otherwise.',
  'ticket-closed': 'A closed ticket takes comments, notes, assignment and delivery reports only. What the requester has to say now goes into a new ticket with `followUpOf`.',
  'already-exists': 'The name or the `externalId` is in use. Choose another one, or change what there is.',
  gone: 'The ticket was deleted. An administrator can restore it.',
  'version-conflict': 'Somebody else was faster; `current` is the version by now. Read the ticket, decide again, and send the version that you have read.',
  'payload-too-large': 'Send less at once: a request has at most 256 KiB.',
  'unsupported-media-type': 'Send the body as `application/json`, in UTF-8.',
  'validation-failed': '`errors` says what is wrong and where: `pointer` leads into the body, or names a query parameter as `?name`. A request that the door refuses so uses up no `Idempotency-Key`.',
  'idempotency-key-reused': 'The key belongs to another request of yours. Take a new one for each wish, and the same one only to repeat it.',
  'invalid-assignee': 'Nobody of that type and id is in the organisation: `GET /v1/members` and `GET /v1/assistants` say who is.',
  'invalid-cursor': 'Cursors and places are taken from answers, unchanged, and go with the query that they came with. Begin again without one.',
  'page-too-deep': 'Numbered pages end at 10,000 tickets. Go on with `cursor`, or narrow the filters.',
  'ticket-too-large': 'The ticket has all the comments, messages or text that a ticket can have. Go on in a new one with `followUpOf`.',
  'rate-limited': 'Wait as long as `Retry-After` says.',
  'headers-too-large': 'Send smaller headers or a shorter address.',
  'internal-error': 'Our fault. Tell us `requestId`: it leads to what happened.',
  'dependency-unavailable': 'A part that this needs does not answer now. Try again after `Retry-After`; a write under the same `Idempotency-Key` happens once.',
  'not-yet': 'The version that `X-Min-Version` asks for is not shown yet. Try again after `Retry-After`.',
  overloaded: 'More comes in than goes out. Try again after `Retry-After`, and send less at once.',
};

/** The same of records on inbound topics; the closed list. */
const setAside: Record<DeadLetterReason, string> = {
  'not-json': 'The value is missing, not JSON in UTF-8, or in a batch that cannot be unpacked.',
  'schema-invalid': 'A header or member is missing, unknown or not of its form; `detail` names it.',
  'unknown-type': '`ce_type` names no command of this version.',
  oversize: 'The value is larger than 512 KiB, or its batch unpacks to more than a batch may hold.',
  'organisation-mismatch': '`ce_orgid` and the value name two organisations.',
  'producer-not-allowed': 'The organisation has not let the system do this: it is not registered there, or not for this command or assistant. An administrator can change that (`/v1/producers`), and then replay the record.',
  'key-mismatch': '`ce_subject` or the key names another ticket than the value.',
  'timestamp-out-of-range': '`ce_time` lies more than an hour ahead or seven days back.',
  'handler-failed': 'The command could not be handled, for a reason that does not pass. Operators find it in the logs.',
};

/** Every problem, for people: `type` of a problem leads here. */
export const problemsPage = () =>
  pageOf('problems', [
    '<h1>Problems</h1>',
    worded('Errors are answered as `application/problem+json` (RFC 9457). Programs go by `type`, people by `detail`; `requestId` names the request in our logs.'),
    ...Object.entries(problems).map(([name, [status, title]]) => section(name, `${status} · ${title}`, remedies[name as ProblemName])),
    '<h1>Records set aside</h1>',
    worded('What is wrong with a record on an inbound topic, as its result and its dead letter say it.'),
    ...DeadLetterReason.options.map((name) => section(name, 'The record was set aside', setAside[name])),
  ]);

const section = (name: string, title: string, remedy: string) => `<h2 id="${name}"><code>${name}</code></h2>\n<p class="quiet">${title}</p>\n<p>${inline(remedy)}</p>`;

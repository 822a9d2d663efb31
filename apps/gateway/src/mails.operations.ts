import { AssistantDelivery, InboundEmailAnswer, ReplySending, RequesterUpdates } from '#contracts';
import type { OperationText } from './operation.js';

const forAdministrators = { tag: 'Organisation', needs: 'administer' } as const;

/** What the reference says about mails of requesters. */
export const mailOperations = {
  send: {
    tag: 'Conversation',
    needs: 'reply',
    id: 'sendReplyAgain',
    summary: 'Send a reply again',
    description:
      'To the e-mail address that the ticket’s requester has now, at once, whatever became of it before; where it fails it is tried again as the first time. What becomes of it shows as `delivery` of the reply. Under the same Idempotency-Key it is sent once.',
    answers: { 202: { description: 'It is on its way.', body: ReplySending } },
    problems: ['forbidden', 'not-found'],
  },
  readUpdates: {
    ...forAdministrators,
    id: 'readRequesterUpdates',
    summary: 'What requesters are told',
    answers: { 200: { description: 'What was said about the assistant; what is left out is as it is by itself.', body: RequesterUpdates } },
    problems: ['forbidden', 'not-found'],
  },
  writeUpdates: {
    ...forAdministrators,
    id: 'writeRequesterUpdates',
    summary: 'Say what requesters are told',
    description:
      'Beside replies, which always go out, requesters of the assistant’s tickets may be told by e-mail that their request was received, resolved, reopened or closed. By itself only who wrote an e-mail is told that it was received. `{{name}}`, `{{number}}`, `{{title}}` and `{{assistant}}` in a text stand for what they say.',
    body: { received: { enabled: true }, resolved: { enabled: true, text: 'Hello {{name}},\n\nwe have solved #{{number}} "{{title}}".' } },
    answers: { 200: { description: 'What holds from now on.', body: RequesterUpdates, headers: ['Idempotency-Replayed'] } },
    problems: ['forbidden', 'not-found'],
  },
  readDelivery: {
    ...forAdministrators,
    id: 'readAssistantDelivery',
    summary: 'Where an assistant takes messages',
    answers: { 200: { description: 'The address; the secret is told to nobody.', body: AssistantDelivery } },
    problems: ['forbidden', 'not-found'],
  },
  writeDelivery: {
    ...forAdministrators,
    id: 'writeAssistantDelivery',
    summary: 'Say where an assistant takes messages',
    description:
      'Replies and updates on tickets that the assistant’s agent opened (channels `agent` and `mcp`), and on its other tickets whose requester has no e-mail address, are posted there instead of being mailed: JSON as `RequesterMessage` says it, with the headers of Standard Webhooks, signed with the secret. An answer of 200 to 299 within 15 s means delivered; anything else is tried again. `webhook-id` is the same in every try.',
    body: { url: 'https://assistant.example/deskstream', secret: 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSwMfKQ9r8G' },
    answers: { 200: { description: 'What holds from now on.', body: AssistantDelivery, headers: ['Idempotency-Replayed'] } },
    problems: ['forbidden', 'not-found'],
  },
  deleteDelivery: {
    ...forAdministrators,
    id: 'deleteAssistantDelivery',
    summary: 'Post nothing to an assistant any more',
    description: 'What waits for it fails with `no-channel`.',
    answers: { 204: { description: 'It is deleted.', headers: ['Idempotency-Replayed'] } },
    problems: ['forbidden', 'not-found'],
  },
  inbound: {
    tag: 'Conversation',
    id: 'takeEmail',
    summary: 'Hand in an e-mail',
    description:
      'For mail servers: the message as it came, at most 10 MiB, signed as Standard Webhooks are (`webhook-id`, `webhook-timestamp`, `webhook-signature`) with `INBOUND_EMAIL_SECRET`. Mails to `<organisation>@<INBOUND_DOMAIN>` open a ticket, those to `<organisation>+<assistant>@…` one of that assistant. An answer finds its ticket by the address it answers to or the Message-ID of one of our mails, or by `[#number]` in its subject where its sender is the ticket’s requester; it is appended to the conversation, without what it quotes, and reopens a resolved ticket. After closing it opens a new one with `followUpOf`. Anything else opens a ticket. Automatic answers are ignored. Attachments are named, and not kept. The same mail again changes nothing; handing it in again is safe after every answer but 422.',
    mediaBody: { 'message/rfc822': 'The message.' },
    answers: { 202: { description: 'What became of it.', body: InboundEmailAnswer } },
    problems: ['malformed-request', 'unauthenticated', 'not-found', 'payload-too-large', 'unsupported-media-type', 'validation-failed', 'rate-limited', 'internal-error', 'dependency-unavailable', 'overloaded'],
  },
} satisfies Record<string, OperationText>;

import { NoticePage, NoticePreferences, UnreadNotices } from '#contracts';
import type { OperationText } from './operation.js';

const forPeople = { tag: 'Notifications', needs: 'delete' } as const; // As that is: for people only.

/** What the reference says about notices. */
export const noticeOperations = {
  list: {
    ...forPeople,
    id: 'listNotifications',
    summary: 'Read what one is told',
    description:
      'Newest first: the last 90 days, at most 1,000. What the caller did themselves is not among it, nor what is about a ticket or note that they may not see now, whoever could when it happened.',
    answers: { 200: { description: 'A page of notifications.', body: NoticePage } },
    problems: ['forbidden', 'invalid-cursor'],
  },
  unread: {
    ...forPeople,
    id: 'countUnreadNotifications',
    summary: 'How much one has not read yet',
    answers: { 200: { description: 'How many there are in the list that are not read.', body: UnreadNotices } },
    problems: ['forbidden'],
  },
  readAll: {
    ...forPeople,
    id: 'readNotifications',
    summary: 'Mark notifications as read',
    description: 'All that there are, or one and those before it. A repeat marks nothing that came later.',
    body: { upTo: '0b54f6a2-6f0c-4f0e-9a53-3b1f6a1c9d11' },
    answers: { 204: { description: 'They are read.', headers: ['Idempotency-Replayed'] } },
    problems: ['forbidden', 'not-found'],
  },
  readOne: {
    ...forPeople,
    id: 'readNotification',
    summary: 'Mark a notification as read',
    answers: { 204: { description: 'It is read.', headers: ['Idempotency-Replayed'] } },
    problems: ['forbidden', 'not-found'],
  },
  preferences: {
    ...forPeople,
    id: 'getNotificationPreferences',
    summary: 'Read how one is told',
    answers: { 200: { description: 'By kind, in the app and by mail.', body: NoticePreferences } },
    problems: ['forbidden'],
  },
  setPreferences: {
    ...forPeople,
    id: 'setNotificationPreferences',
    summary: 'Choose how one is told',
    description:
      'One’s own only; replaces all of it. `hourly` tells at the next full hour of one’s clock, by mail with whatever else came in that hour. It counts for what happens from then on; mails that wait for their hour are not sent for a kind that is never to be mailed any more.',
    body: { mentioned: { inApp: 'at-once', email: 'at-once' }, status: { inApp: 'at-once', email: 'never' } },
    answers: { 200: { description: 'As it is now.', body: NoticePreferences, headers: ['Idempotency-Replayed'] } },
    problems: ['forbidden'],
  },
} satisfies Record<string, OperationText>;

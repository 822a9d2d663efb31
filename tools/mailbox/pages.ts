import { safe } from '../html.js';
import type { TakenMail } from './mailbox.js';

const style = `
:root { color-scheme: light dark; --line: #d9dce3; --soft: #5d6475; --page: #f5f6f9; --card: #fff; --ink: #1b1f2a; --accent: #3454d1; }
@media (prefers-color-scheme: dark) { :root { --line: #343a48; --soft: #9aa3b5; --page: #14171e; --card: #1d212b; --ink: #e8eaf0; --accent: #8ea2ff; } }
body { margin: 0; padding: 2rem 1rem; background: var(--page); color: var(--ink); font: 16px/1.45 system-ui, sans-serif; }
main { max-width: 52rem; margin: 0 auto; padding: 1.5rem 2rem; background: var(--card); border: 1px solid var(--line); border-radius: 14px; overflow-wrap: anywhere; }
h1 { margin: 0 0 .25rem; font-size: 1.4rem; } p, footer, time { color: var(--soft); } footer { margin-top: 1.5rem; font-size: .85rem; }
ul { list-style: none; margin: 1rem 0 0; padding: 0; } li a { display: block; padding: .7rem 0; border-top: 1px solid var(--line); color: inherit; text-decoration: none; }
li a:hover b, li a:focus-visible b { color: var(--accent); } li span { display: block; font-size: .85rem; color: var(--soft); }
dl { display: grid; grid-template-columns: max-content 1fr; gap: .25rem 1rem; } dt { color: var(--soft); } dd { margin: 0; }
pre { white-space: pre-wrap; font: inherit; padding-top: 1rem; border-top: 1px solid var(--line); } a { color: var(--accent); }
`;

/** All mails that are there, newest first. */
export function listPage(mails: readonly TakenMail[]): string {
  const rows = mails.map(({ id, subject, to, at }) => `<li><a href="/mails/${safe(id)}"><b>${safe(subject || '(no subject)')}</b><span>to ${safe(to)} · <time>${safe(at)}</time></span></a></li>`);
  return page('Mails', `<p>${mails.length === 0 ? 'Nothing was sent yet.' : 'What Deskstream has sent, newest first. Reload to see what is new.'}</p><ul>${rows.join('')}</ul>`);
}

/** One mail. */
export function mailPage(mail: TakenMail): string {
  const facts = [['From', mail.from], ['To', mail.to], ['Reply-To', mail.replyTo], ['Sent to', mail.envelope.to.join(', ')], ['At', mail.at], ['Message-ID', mail.messageId], ['In-Reply-To', mail.inReplyTo]];
  const list = facts.filter(([, value]) => value).map(([name, value]) => `<dt>${safe(name!)}</dt><dd>${safe(value!)}</dd>`);
  return page(mail.subject || '(no subject)', `<p><a href="/">All mails</a> · <a href="/mails/${safe(mail.id)}.eml">as it came</a></p><dl>${list.join('')}</dl><pre>${safe(mail.text)}</pre>`);
}

/** Says why there is nothing to see. */
export const emptyPage = (text: string) => page(text, '<p><a href="/">All mails</a></p>');

function page(title: string, body: string): string {
  return `<!doctype html><html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>${safe(title)}</title><style>${style}</style></head><body><main><h1>${safe(title)}</h1>${body}<footer>For local use on this machine only: mails are sent nowhere, and forgotten when it stops.</footer></main></body></html>`;
}

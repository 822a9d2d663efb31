import { safe } from '../html.js';
import type { Organisation, Person } from './people.js';

const style = `
:root { color-scheme: light dark; --line: #d9dce3; --soft: #5d6475; --page: #f5f6f9; --card: #fff; --ink: #1b1f2a; --accent: #3454d1; }
@media (prefers-color-scheme: dark) { :root { --line: #343a48; --soft: #9aa3b5; --page: #14171e; --card: #1d212b; --ink: #e8eaf0; --accent: #8ea2ff; } }
* { box-sizing: border-box; }
body { margin: 0; min-height: 100vh; display: grid; place-items: center; padding: 2rem 1rem; background: var(--page); color: var(--ink);
  font: 16px/1.45 system-ui, sans-serif; }
main { width: 100%; max-width: 26rem; padding: 2rem; background: var(--card); border: 1px solid var(--line); border-radius: 14px; }
h1 { margin: 0 0 .25rem; font-size: 1.4rem; }
h2 { margin: 1.5rem 0 .5rem; font-size: .8rem; font-weight: 600; letter-spacing: .04em; text-transform: uppercase; color: var(--soft); }
p { margin: 0; color: var(--soft); }
footer { margin-top: 1.75rem; padding-top: 1rem; border-top: 1px solid var(--line); font-size: .85rem; color: var(--soft); }
button, a.button { display: flex; width: 100%; align-items: center; gap: .75rem; margin: .5rem 0 0; padding: .7rem .85rem; font: inherit; text-align: left;
  text-decoration: none; color: inherit; background: transparent; border: 1px solid var(--line); border-radius: 10px; cursor: pointer; }
button:hover, button:focus-visible, a.button:hover { border-color: var(--accent); outline: none; box-shadow: 0 0 0 1px var(--accent); }
.face { flex: none; display: grid; place-items: center; width: 2.25rem; height: 2.25rem; border-radius: 50%; background: var(--accent); color: var(--card); font-weight: 600; }
.who { flex: 1; min-width: 0; } .who b { display: block; font-weight: 600; } .who span { font-size: .85rem; color: var(--soft); overflow-wrap: anywhere; }
.role { font-size: .8rem; color: var(--soft); }
`;

const localOnly = '<footer>No passwords: this sign-in page is for local use on this machine only.</footer>';

/** The page on which somebody picks who they are; every person is a button of one form. */
export function signInPage(organisations: Organisation[], action: string): string {
  const groups = organisations.map(({ name, people }) => `<h2>${safe(name)}</h2>${people.map(personButton).join('')}`);
  return page('Sign in to Deskstream', `<p>Choose who you are.</p><form method="post" action="${safe(action)}">${groups.join('')}</form>`);
}

/** What the issuer shows at its own address. */
export function startPage(organisations: Organisation[]): string {
  const people = organisations.flatMap((organisation) => organisation.people).map((person) => safe(person.name));
  return page('Deskstream sign-in', `<p>Applications send people here to sign in. It knows ${people.join(', ')}.</p>`);
}

/** Says what went wrong, without detail that only a log should have. */
export const errorPage = (text: string) => page('That did not work', `<p>${safe(text)}.</p>`);

/** Asks before somebody is signed out; `form` is the issuer's own. */
export const signOutPage = (form: string) =>
  page('Sign out?', `${form}<button autofocus type="submit" form="op.logoutForm" name="logout" value="yes">Sign out</button>
    <button type="submit" form="op.logoutForm">Stay signed in</button>`);

/** The end of a sign-out that has nowhere to go back to. */
export const signedOutPage = () => page('You are signed out', '<p>You can close this page.</p>');

function personButton({ org, sub, name, email, role }: Person): string {
  const title = role === 'admin' ? 'Administrator' : 'Member';
  return `<button name="account" value="${safe(`${org}/${sub}`)}"><span class="face" aria-hidden="true">${safe(name.slice(0, 1))}</span>
    <span class="who"><b>${safe(name)}</b><span>${safe(email)}</span></span><span class="role">${title}</span></button>`;
}

function page(title: string, body: string): string {
  return `<!doctype html><html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>${safe(title)}</title><style>${style}</style></head><body><main><h1>${safe(title)}</h1>${body}${localOnly}</main></body></html>`;
}

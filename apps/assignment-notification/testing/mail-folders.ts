import { ImapFlow } from 'imapflow';
import type { MailServer } from '../../../libs/servers/testing/mail-server.js';

/** Somebody's folders on a mail server, in the hands of a spec. */
export class MailFolders {
  private constructor(private readonly client: ImapFlow) {}

  static async open({ host, plainPort: port }: MailServer, user: string, pass: string): Promise<MailFolders> {
    const client = new ImapFlow({ host, port, secure: false, doSTARTTLS: false, auth: { user, pass }, logger: false, disableAutoIdle: true });
    client.on('error', () => undefined);
    await client.connect();
    return new MailFolders(client);
  }

  async make(folder: string): Promise<void> {
    await this.client.mailboxCreate(folder);
  }

  /** With all that lies in it; the folder that is made next under its name numbers its mails anew. */
  async remove(folder: string): Promise<void> {
    await this.client.mailboxDelete(folder);
  }

  async put(folder: string, ...mails: readonly (string | Buffer)[]): Promise<void> {
    for (const mail of mails) {
      if (!(await this.client.append(folder, Buffer.from(mail as string)))) throw new Error('the server does not take the mail');
    }
  }

  /** The subjects of what lies in a folder; undefined where there is none. */
  async subjects(folder: string): Promise<string[] | undefined> {
    const there = (await this.client.list()).some(({ path }) => path === folder);
    if (!there) return undefined;
    await this.client.mailboxOpen(folder, { readOnly: true });
    const { exists } = this.client.mailbox as { exists: number };
    const all = exists === 0 ? [] : await this.client.fetchAll('1:*', { headers: ['subject'] });
    await this.client.mailboxClose();
    return all.map(({ headers }) => String(headers).replace(/^subject:/i, '').trim()).sort();
  }

  async uidValidity(folder: string): Promise<string> {
    const status = await this.client.status(folder, { uidValidity: true });
    return String(status && status.uidValidity);
  }

  async close(): Promise<void> {
    await this.client.logout();
  }
}

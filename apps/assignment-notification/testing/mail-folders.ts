import { ImapFlow } from 'imapflow';
import type { MailServer } from '../../../libs/servers/testing/mail-server.js';

/** Somebody's folders on a mail server, in the hands of a spec. */
export class MailFolders {
  private client: ImapFlow | undefined;

  private constructor(
    private readonly server: MailServer,
    private readonly auth: { user: string; pass: string },
  ) {}

  static async open(server: MailServer, user: string, pass: string): Promise<MailFolders> {
    const folders = new MailFolders(server, { user, pass });
    await folders.connected();
    return folders;
  }

  /** Some servers end connections when a folder goes. */
  private async connected(): Promise<ImapFlow> {
    if (this.client?.usable) return this.client;
    const { host, plainPort: port } = this.server;
    this.client = new ImapFlow({ host, port, secure: false, doSTARTTLS: false, auth: this.auth, logger: false, disableAutoIdle: true });
    this.client.on('error', () => undefined);
    await this.client.connect();
    return this.client;
  }

  async make(folder: string): Promise<void> {
    await (await this.connected()).mailboxCreate(folder);
  }

  /** Puts an empty folder in a folder's place, which numbers its mails anew. */
  async replace(folder: string): Promise<void> {
    await (await this.connected()).mailboxRename(folder, `${folder} of yore`);
    await this.make(folder);
  }

  async put(folder: string, ...mails: readonly (string | Buffer)[]): Promise<void> {
    const client = await this.connected();
    for (const mail of mails) {
      if (!(await client.append(folder, Buffer.from(mail as string)))) throw new Error('the server does not take the mail');
    }
  }

  /** The subjects of what lies in a folder; undefined where there is none. */
  async subjects(folder: string): Promise<string[] | undefined> {
    const client = await this.connected();
    const there = (await client.list()).some(({ path }) => path === folder);
    if (!there) return undefined;
    await client.mailboxOpen(folder, { readOnly: true });
    const { exists } = client.mailbox as { exists: number };
    const all = exists === 0 ? [] : await client.fetchAll('1:*', { headers: ['subject'] });
    await client.mailboxClose();
    return all.map(({ headers }) => String(headers).replace(/^subject:/i, '').trim()).sort();
  }

  async uidValidity(folder: string): Promise<string> {
    const status = await (await this.connected()).status(folder, { uidValidity: true });
    return String(status && status.uidValidity);
  }

  async close(): Promise<void> {
    await this.client?.logout().catch(() => undefined);
    this.client?.close();
  }
}

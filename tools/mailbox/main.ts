import { once } from 'node:events';
import { z } from 'zod';
import { Mailbox } from './mailbox.js';
import { createMailPages } from './server.js';

/** Environment of the local mail server; `npm start` sets it. */
const Environment = z.object({ HOST: z.string().default('127.0.0.1'), PORT: z.coerce.number().int().min(1).max(65_535), SMTP_PORT: z.coerce.number().int().min(1).max(65_535) });

try {
  const { HOST: host, PORT: port, SMTP_PORT: smtpPort } = Environment.parse(process.env);
  const mailbox = new Mailbox({ host, port: smtpPort });
  console.log(`takes mails at ${await mailbox.open()}`);
  const pages = createMailPages(mailbox);
  pages.listen(port, host);
  await once(pages, 'listening');
  process.once('SIGTERM', () => {
    pages.close();
    pages.closeAllConnections();
    void mailbox.close();
  });
} catch (error) {
  console.error(`mailbox: ${error instanceof z.ZodError ? z.prettifyError(error) : String(error)}`);
  process.exit(1);
}

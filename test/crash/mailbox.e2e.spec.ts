import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { freePort } from '#servers';
import { MailFolders } from '../../apps/assignment-notification/testing/mail-folders.js';
import { MailGate } from '../../apps/assignment-notification/testing/mail-gate.js';
import { openMailServer, type MailServer } from '../../libs/servers/testing/mail-server.js';
import { built } from '../../tools/places.js';
import type { AppHandle } from '../support/app-handle.js';
import { clientOf, type Client } from '../support/client.js';
import { eventually } from '../support/eventually.js';
import { forgetService } from '../support/group-members.js';
import { organisation } from '../support/organisation.js';
import { mailText } from '../support/signed-mail.js';
import { startStack, type Stack } from '../support/stack.js';

const [org, password, domain] = [`boxed-${randomUUID().slice(0, 8)}`, `pass-${randomUUID()}`, 'in.deskstream.example'];
let server: MailServer;
let gate: MailGate;
let folders: MailFolders;
let stack: Stack;
let ada: Client;
let app: AppHandle;

beforeAll(async () => {
  server = await openMailServer({ desk: password });
  [gate, folders] = [await MailGate.open(server, { port: await freePort() }), await MailFolders.open(server, 'desk', password)];
  const env = { INBOUND_DOMAIN: domain, IMAP_URL: `imaps://desk:${password}@${server.host}:${gate.port}`, IMAP_CA_FILE: server.caFile, IMAP_INTERVAL: '0.2' };
  stack = await startStack({ instances: { 'assignment-notification': 1 }, env: { 'assignment-notification': env }, directory: { organisations: [organisation(org)] } });
  ada = clientOf(stack, { org, sub: 'ada' });
  [app] = stack.apps['assignment-notification'] as [AppHandle];
  await eventually(async () => expect((await ada.get('/assistants/billing-bot/requester-updates')).status).toBe(200));
});
afterAll(async () => {
  await stack?.stop();
  await folders?.close();
  await gate?.close();
  await server?.stop();
});

const put = (subjects: readonly string[]) => folders.put('INBOX', ...subjects.map((Subject) => mailText({ From: `${randomUUID().slice(0, 8)}@example.org`, To: `${org}@${domain}`, Subject })));
/** Starts the killed service anew. */
async function startAgain(): Promise<void> {
  await forgetService(stack.kafkaBrokers, 'assignment-notification');
  app.start();
}
const titles = async (q: string) => ((await ada.get(`/tickets?q=${q}&pageSize=100`)).body['items'] as { title: string }[]).map(({ title }) => title).sort();
const some = (word: string, count: number) => Array.from({ length: count }, (_, i) => `${word} ${String(i).padStart(2, '0')}`);

describe('a mailbox that is looked into', () => {
  it('gives every mail once, when the service is killed again and again while it takes them', async () => {
    const subjects = some('parcel', 20);
    gate.isSilent = true; // nothing is taken before the gate knows when to be silent
    await put(subjects);
    for (const most of [3, 6]) {
      let moves = 0;
      gate.silencedBy = (line) => / UID MOVE /.test(line) && ++moves === most; // it never hears that this one was moved
      gate.isSilent = false;
      await eventually(() => gate.isSilent);
      await app.kill('SIGKILL');
      expect((await folders.subjects('INBOX'))!.length).toBeGreaterThan(0);
      await startAgain();
    }
    [gate.silencedBy, gate.isSilent] = [() => false, false];
    await eventually(async () => expect([await folders.subjects('INBOX'), await folders.subjects('Taken')]).toEqual([[], subjects]));
    await eventually(async () => expect(await titles('parcel')).toEqual(subjects));
  });

  it('sets a mail aside that kills the service each time, and gives the others', async () => {
    await app.end();
    await app.restart({ nodeOptions: ['--import', built('test/support/killed-by-mail.js')] });
    await put(['deadly', 'harmless']);
    for (let deaths = 0; deaths < 3; deaths += 1) {
      await eventually(() => !app.isRunning);
      await startAgain(); // it may die of the next try before it is ready
    }
    await eventually(async () => expect([await folders.subjects('INBOX'), await folders.subjects('Set aside')]).toEqual([[], ['deadly']]));
    expect(app.isRunning).toBe(true);
    await eventually(async () => expect(await titles('harmless')).toEqual(['harmless']));
    expect(app.logs()).toContain('failed_every_time');
  });

  it('that hangs, or is gone, concerns nothing else, and nobody is told its password', async () => {
    const ready = async () => (await fetch(`${app.managementUrl}/health/ready`)).status;
    const works = () => eventually(async () => expect([await ready(), (await ada.get('/notifications')).status]).toEqual([200, 200]));
    await app.untilReady();
    gate.isSilent = true;
    const before = gate.connections;
    await eventually(() => gate.connections > before, 120_000); // a visit that was under way hangs as well, until its own time is over
    await works();
    const port = await gate.close();
    await eventually(() => app.logs().includes('"reason":"unreachable"'));
    await works();
    expect(await (await fetch(`${app.managementUrl}/metrics`)).text()).toMatch(/deskstream_inbound_mailbox_troubles_total\{reason="unreachable"\} [1-9]/);
    gate.isSilent = false;
    await gate.listen(port);
    await put(['afterwards']);
    await eventually(async () => expect(await titles('afterwards')).toEqual(['afterwards']));
    expect(app.logs()).not.toContain(password);
  });
});

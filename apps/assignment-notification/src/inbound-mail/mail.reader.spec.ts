import { describe, expect, it } from '@jest/globals';
import { limits } from '#contracts';
import { automaticBy } from './inbound.policy.js';
import { readMail, textOf } from './mail.reader.js';

const part = (head: string, text: string) => `--b\r\n${head}\r\n\r\n${text}\r\n`;
const file = (i: number) => part(`Content-Type: application/pdf\r\nContent-Disposition: attachment; filename="${String(i).padStart(100, 'x')}"`, 'x');

describe('a mail', () => {
  it('fits a message, with as many attachments of as long names as are named', async () => {
    const files = Array.from({ length: 30 }, (_, i) => file(i)).join('');
    const raw = `From: rita@example.org\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n${part('Content-Type: text/plain', 'word '.repeat(20_000))}${files}--b--\r\n`;
    const text = textOf(await readMail(Buffer.from(raw)));
    expect(text.length).toBeLessThanOrEqual(limits.message);
    expect(text).toMatch(/^word .*\n\n\[Attachments, not kept: x+0, .*x+19\]$/s);
  });

  it('whose sender wants no automatic answers is somebody’s words', async () => {
    expect(automaticBy(await readMail(Buffer.from('From: rita@example.org\r\nX-Auto-Response-Suppress: All\r\n\r\nHello')))).toBeUndefined();
  });
});

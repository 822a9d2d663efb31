/** Preload for tests: the process kills itself as it takes a mail whose subject says so. */
import { InboundMail } from '../../apps/assignment-notification/src/inbound-mail/inbound-mail.js';

const { receive } = InboundMail.prototype;

InboundMail.prototype.receive = async function (raw) {
  if (raw.includes('Subject: deadly')) process.kill(process.pid, 'SIGKILL');
  return receive.call(this, raw);
};

/** Preload for tests: the process kills itself once the first record that is no decision on a dead letter is acknowledged. */
import { deadLetterDecisions } from '#contracts';
import { RecordProducer } from '#messaging';

const { send } = RecordProducer.prototype;

RecordProducer.prototype.send = async function (records, options) {
  await send.call(this, records, options);
  if (records[0]?.topic !== deadLetterDecisions) process.kill(process.pid, 'SIGKILL');
};

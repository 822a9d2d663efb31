import { setTimeout as delay } from 'node:timers/promises';
import { ensureTopics, readTopics } from '#messaging';
import { topicsFile } from '../places.js';

const patienceMs = 120_000;

/**
 * Makes what is missing of the topics of `deploy/topics.yaml`, with one replica each. The task is repeatable, so while a broker is still
 * finding itself it is tried again for two minutes.
 */
export async function makeTopics(kafkaBrokers: string): Promise<void> {
  const topics = await readTopics(topicsFile, 'local');
  const deadline = Date.now() + patienceMs;
  for (;;) {
    try {
      await ensureTopics(kafkaBrokers.split(','), topics);
      return;
    } catch (error) {
      if (Date.now() > deadline) throw error;
      await delay(500);
    }
  }
}

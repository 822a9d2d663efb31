import { describe, expect, it } from '@jest/globals';
import { directoryKey, type DirectoryEntry } from '#contracts';
import type { OutgoingRecord } from '#messaging';
import { DirectoryPublisher } from './directory.publisher.js';

const entry = (revision: number): DirectoryEntry => ({ orgId: 'acme', kind: 'assistant', id: 'a', revision, deleted: false, value: { id: 'a', name: `v${revision}`, memberIds: [] } });

/** A store with one entry, and a topic. `meanwhile` runs while a record is on its way. */
function opened(meanwhile: (revision: number) => void | Promise<void> = () => undefined) {
  const store = { current: entry(1), isPublished: false };
  const topic: OutgoingRecord[] = [];
  const publisher = new DirectoryPublisher(
    {
      find: async () => store.current,
      unpublished: async () => (store.isPublished ? [] : [store.current]),
      changedSince: async () => [store.current],
      markPublished: async ({ revision }) => {
        if (revision !== store.current.revision) return false;
        store.isPublished = true;
        return true;
      },
    },
    {
      send: async ([record]) => {
        await meanwhile((JSON.parse(String(record!.value)) as DirectoryEntry).revision);
        topic.push(record!);
      },
    },
  );
  const revisions = () => topic.map(({ value }) => (JSON.parse(String(value)) as DirectoryEntry).revision);
  return { store, topic, publisher, revisions };
}

describe('publishing the directory', () => {
  it('puts an entry on its topic under its key, once', async () => {
    const { publisher, topic } = opened();
    await publisher.publishWaiting();
    await publisher.publishWaiting();
    expect(topic).toMatchObject([{ topic: 'directory.v1', key: directoryKey(entry(1)), headers: { ce_id: 'acme/assistant/a:1', ce_type: 'directory.entry.v1', ce_orgid: 'acme' } }]);
    expect(topic[0]!.headers).not.toHaveProperty('ce_subject');
    expect(JSON.parse(String(topic[0]!.value))).toEqual(entry(1));
  });

  it('puts the newest revision last when an entry changes while it is on its way', async () => {
    const { publisher, store, revisions } = opened((revision) => {
      if (revision === 1) store.current = entry(2);
    });
    await publisher.publishWaiting();
    expect(revisions()).toEqual([1, 2]);
  });

  it('says the newest again behind a slow older one, though another instance has published it', async () => {
    const { publisher, store, topic, revisions } = opened((revision) => {
      if (revision > 1) return;
      store.current = entry(2);
      store.isPublished = true;
      topic.push({ topic: 'directory.v1', key: 'x', value: JSON.stringify(entry(2)) });
    });
    await publisher.publish(entry(1));
    expect(revisions()).toEqual([2, 1, 2]);
  });

  it('keeps what the broker did not take for later', async () => {
    let isUp = false;
    const { publisher, revisions } = opened(() => {
      if (!isUp) throw new Error('down');
    });
    await expect(publisher.publishWaiting()).rejects.toThrow('down');
    isUp = true;
    await publisher.publishWaiting();
    expect(revisions()).toEqual([1]);
  });
});

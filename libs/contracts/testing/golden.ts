import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { messageValue, type MessageType } from '#contracts';

const folder = new URL('../golden/', import.meta.url);

export interface Golden {
  file: string;
  type: MessageType;
  value: unknown;
}

/** Values as they were once written to our topics. Files are added, never edited: `<type>.json`, and `<type>.<what is special>.json`. */
export const goldens: readonly Golden[] = readdirSync(fileURLToPath(folder)).map((file) => ({
  file,
  type: typeOf(file),
  value: JSON.parse(readFileSync(fileURLToPath(new URL(file, folder)), 'utf8')) as unknown,
}));

function typeOf(file: string): MessageType {
  const type = /^(.+\.v\d+)(\.[a-z-]+)?\.json$/.exec(file)?.[1];
  if (type === undefined || !Object.hasOwn(messageValue, type)) throw new Error(`${file} is named after no type of message`);
  return type as MessageType;
}

/** Writes the published contracts to `docs/`: `npm run contracts`. */
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { documents } from './reference/documents.js';

const docs = join(process.cwd(), 'docs');
const files = await documents(process.cwd());
rmSync(join(docs, 'schemas'), { recursive: true, force: true });
for (const [path, content] of files) {
  mkdirSync(dirname(join(docs, path)), { recursive: true });
  writeFileSync(join(docs, path), content);
}

/**
 * Writes the published contracts to `docs/`: `npm run contracts`. With `-- --release` what they say from now on is what others may rely on
 * (`libs/contracts/released`); refused where it breaks what they rely on already.
 */
import { existsSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { documents } from './reference/documents.js';
import { isReleased, releaseBreaches, releasedFolder } from './reference/released.js';

const root = process.cwd();
const files = await documents(root);

rmSync(join(root, 'docs/schemas'), { recursive: true, force: true });
for (const [path, content] of files) write(join(root, 'docs', path), content);
if (process.argv.includes('--release')) release();

function release() {
  const breaches = existsSync(join(root, releasedFolder)) ? releaseBreaches(root, files) : [];
  for (const { rule, at } of breaches) process.stderr.write(`${rule}: ${at}\n`);
  if (breaches.length > 0) process.exitCode = 1;
  else for (const [path, content] of files) if (isReleased(path)) write(join(root, releasedFolder, path), content);
}

function write(file: string, content: string) {
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, content);
}

import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The repository's folder. This file runs as `dist/tools/places.js`, and from source in tests. */
export const rootDir = rootOf(dirname(fileURLToPath(import.meta.url)));

/** Where a run keeps its data, logs, keys and addresses. */
export const dataDir = join(rootDir, '.deskstream');

/** Where a run notes its services in its data folder, for the run after it. Servers are noted by `#servers`. */
export const serviceNotes = (folder: string) => join(folder, 'services');

/** The people and assistants of the demo organisations. */
export const demoDirectory = join(rootDir, 'deploy', 'demo-directory.json');

/** What outside systems may do for the demo organisations. */
export const demoProducers = join(rootDir, 'deploy', 'demo-producers.json');

/** What the topics should be. */
export const topicsFile = join(rootDir, 'deploy', 'topics.yaml');

/** Entry of a built part, such as `apps/gateway/main.js`. */
export const built = (entry: string) => join(rootDir, 'dist', entry);

function rootOf(tools: string): string {
  const above = dirname(tools);
  return above.endsWith('dist') ? dirname(above) : above;
}

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { jsonSchemaOf, messageValue, outsideValue } from '#contracts';
import { readTopics } from '#messaging';
import { asyncApiDocument } from './asyncapi.js';
import { answerExamples, readSamples } from './examples.js';
import { openApiDocument } from './openapi.js';
import { routesPage } from './page.js';
import { problemsPage } from './problems-page.js';
import { routes } from './routes.js';
import { topicsPage } from './topics-page.js';

/** The published documents as files below `docs/`: path and content. @param root of the repository */
export async function documents(root: string): Promise<Map<string, string>> {
  const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { version: string };
  const samples = readSamples(root);
  const topics = await readTopics(join(root, 'deploy/topics.yaml'), 'production');
  const schemas = [...Object.keys(messageValue), ...Object.keys(outsideValue)].map((type) => [`schemas/${type}.json`, text(jsonSchemaOf(type))] as const);
  const asyncapi = asyncApiDocument(samples, topics, version);
  return new Map([
    ['openapi.json', text(openApiDocument(routes(), answerExamples(samples), version))],
    ['asyncapi.json', text(asyncapi)],
    ['reference/index.html', routesPage()],
    ['reference/topics.html', topicsPage(asyncapi)],
    ['reference/problems.html', problemsPage()],
    ...schemas,
  ]);
}

const text = (document: unknown) => `${JSON.stringify(document, null, 2)}\n`;

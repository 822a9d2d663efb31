const pages = { routes: ['/docs', 'REST'], topics: ['/docs/topics', 'Topics'], problems: ['/docs/problems', 'Problems'] } as const;

/** A page of the reference, without any script. */
export const pageOf = (which: 'topics' | 'problems', parts: readonly string[]) => `<!doctype html>
<html lang="en">
  <head>
    <meta charset="utf-8" />
    <meta name="viewport" content="width=device-width, initial-scale=1" />
    <link rel="icon" href="data:," />
    <title>Deskstream ${which}</title>
    <link rel="stylesheet" href="/docs/assets/reference.css" />
  </head>
  <body>
    <header>
      <strong>Deskstream</strong>
      <nav>
${Object.entries(pages)
  .map(([name, [path, title]]) => `        <a href="${path}"${name === which ? ' aria-current="page"' : ''}>${title}</a>`)
  .join('\n')}
        <a href="/v1/openapi.json">openapi.json</a>
        <a href="/v1/asyncapi.json">asyncapi.json</a>
      </nav>
    </header>
    <main class="topics">
${parts.join('\n')}
    </main>
  </body>
</html>
`;

export const escaped = (text: string) => text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;');

/** The little Markdown that descriptions have. */
export const inline = (text: string) =>
  escaped(text)
    .replace(/`([^`]+)`/g, '<code>$1</code>')
    .replace(/\*\*([^*]+)\*\*/g, '<strong>$1</strong>');

export const worded = (text: string) =>
  text
    .split('\n\n')
    .map((paragraph) => `<p>${inline(paragraph)}</p>`)
    .join('\n');

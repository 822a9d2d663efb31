const pages = { routes: ['/docs', 'REST'], topics: ['/docs/topics', 'Topics'], problems: ['/docs/problems', 'Problems'] } as const;

interface Content {
  title: string;
  styles: readonly string[];
  /** What follows the header, a line each. */
  body: readonly string[];
}

const page = (which: keyof typeof pages, { title, styles, body }: Content) => `<!doctype html>
<html lang="en">
  <head>
    <meta charset="utf-8" />
    <meta name="viewport" content="width=device-width, initial-scale=1" />
    <link rel="icon" href="data:," />
    <title>Deskstream ${title}</title>
${styles.map((style) => `    <link rel="stylesheet" href="/docs/assets/${style}" />`).join('\n')}
  </head>
  <body>
    <header>
      <strong>Deskstream</strong>
      <nav>
${Object.entries(pages)
  .map(([name, [path, text]]) => `        <a href="${path}"${name === which ? ' aria-current="page"' : ''}>${text}</a>`)
  .join('\n')}
        <a href="/v1/openapi.json">openapi.json</a>
        <a href="/v1/asyncapi.json">asyncapi.json</a>
      </nav>
    </header>
${body.join('\n')}
  </body>
</html>
`;

/** The page of the routes, which Swagger UI makes of the document. */
export const routesPage = () =>
  page('routes', {
    title: 'reference',
    styles: ['swagger-ui.css', 'reference.css'],
    body: [
      '    <main id="reference"><noscript>This page needs JavaScript; <a href="/v1/openapi.json">openapi.json</a> does not.</noscript></main>',
      '    <script src="/docs/assets/swagger-ui.js"></script>',
      '    <script src="/docs/assets/reference.js"></script>',
    ],
  });

/** A page of the reference, without any script. */
export const pageOf = (which: 'topics' | 'problems', parts: readonly string[]) =>
  page(which, { title: which, styles: ['reference.css'], body: ['    <main class="topics">', ...parts, '    </main>'] });

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

import { once } from 'node:events';
import { readConfig } from './config.js';
import { readOrganisations } from './people.js';
import { createIssuer } from './server.js';
import { keepSigner } from './signer.js';

try {
  await serve();
} catch (error) {
  console.error((error as Error).message);
  process.exit(1);
}

async function serve() {
  const config = readConfig(process.env);
  const signer = keepSigner(config.SIGNER_FILE, `http://${config.HOST}:${config.PORT}`);
  const server = createIssuer({
    signer,
    organisations: readOrganisations(config.DIRECTORY_FILE),
    consoleClientId: config.CONSOLE_CLIENT_ID,
    consoleOrigins: config.CONSOLE_ORIGINS,
  });
  server.listen(config.PORT, config.HOST);
  await once(server, 'listening');
  console.log(`issuer listens at ${signer.issuer}`);
  process.once('SIGTERM', () => {
    server.close();
    server.closeAllConnections();
  });
}

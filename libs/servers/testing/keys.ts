import { execFileSync } from 'node:child_process';
import { join } from 'node:path';

/** A key of a server on 127.0.0.1 and its certificate, which vouches for itself. */
export interface Keys {
  /** PKCS #12, for programs in Java. */
  store: string;
  /** PEM. */
  certificate: string;
}

/** A password of key stores that nobody else ever sees. */
export const storePassword = 'for-a-spec';

/** Makes them in a folder, by a tool that comes with Java. */
export function makeKeys(folder: string): Keys {
  const keys = { store: join(folder, 'server.p12'), certificate: join(folder, 'server.pem') };
  const common = ['-alias', 'server', '-storetype', 'PKCS12', '-keystore', keys.store, '-storepass', storePassword];
  const keytool = (...args: string[]) => execFileSync('keytool', [...args, ...common], { stdio: 'pipe' });
  keytool('-genkeypair', '-keyalg', 'EC', '-groupname', 'secp256r1', '-dname', 'CN=server', '-ext', 'san=ip:127.0.0.1', '-validity', '2');
  keytool('-exportcert', '-rfc', '-file', keys.certificate);
  return keys;
}

import { randomBytes } from 'node:crypto';
import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { DirectorySeed } from '#contracts';
import { freePort, temporaryFolder } from '#servers';
import { readSigner, type Signer, signerFile, signToken, type TokenRequest } from '../../tools/issuer/signer.js';
import { built } from '../../tools/places.js';
import { addressOf, appEnvironment, type AppName, type AppPorts, hasHttp, host, inherited, memoryLimits, type Surroundings } from '../../tools/processes/apps.js';
import { makeTopics } from '../../tools/processes/local-topics.js';
import { type AppChanges, AppHandle } from './app-handle.js';
import { organisation } from './organisation.js';

/** What a stack is made of. */
export interface StackOptions {
  /** Default: `KAFKA_BROKERS` and `MONGODB_URI` of the environment, as the test driver sets them. */
  servers?: { kafkaBrokers: string; mongodbUri: string };
  /** How many of each service; default 1, and none of assignment-notification, without which tickets live as well. 0 leaves a service out (`add` starts it later). */
  instances?: Partial<Record<AppName, number>>;
  /** Environment of a service beyond what it gets anyway. */
  env?: Partial<Record<AppName, NodeJS.ProcessEnv>>;
  /** Arguments of Node before a service's entry, such as `--import ./preload.mjs` or `--cpu-prof`. */
  nodeOptions?: Partial<Record<AppName, string[]>>;
  /** Organisations that the gateway begins with; default: one `acme`. */
  directory?: DirectorySeed;
}

/** Whom a token is for. What is left out is looked up in the stack's directory. */
export type TokenClaims = Pick<TokenRequest, 'org' | 'sub'> & Partial<TokenRequest>;

/** The built services as processes of their own, on real servers. */
export interface Stack {
  /** Address of the first gateway, without `/v1`. */
  readonly gatewayUrl: string;
  readonly gatewayUrls: string[];
  /** Address of the first query-search. */
  readonly queryUrl: string;
  readonly issuer: string;
  readonly kafkaBrokers: string;
  readonly mongodbUri: string;
  readonly apps: Readonly<Record<AppName, AppHandle[]>>;
  /** Signs what other services are told about callers. */
  readonly internalKey: string;
  /** A token as a sign-in gives it. Throws for somebody who is not in the directory and has no `role`. */
  token(claims: TokenClaims): string;
  /** One more instance of a service, ready. */
  add(app: AppName, changes?: AppChanges): Promise<AppHandle>;
  /** Ends all processes and removes their logs. */
  stop(): Promise<void>;
}

/**
 * Starts the built services (`npm run build` first) with an issuer of their own, and waits until they are ready. They end with this process. A service that
 * dies stays dead. Several stacks on one pair of servers share topics and databases: use organisations of their own, or servers of
 * their own (`openServers` of `#servers` with a folder of its own).
 */
export async function startStack(options: StackOptions = {}): Promise<Stack> {
  const stack = new RunningStack(options, { issuer: await freePort(), 'query-search': await freePort(), 'assignment-notification': await freePort() });
  try {
    await stack.start();
    return stack;
  } catch (error) {
    await stack.stop();
    throw error;
  }
}

type FirstPorts = Record<'issuer' | 'query-search' | 'assignment-notification', number>;

class RunningStack implements Stack {
  readonly apps: Record<AppName, AppHandle[]> = { gateway: [], 'ticket-command': [], 'query-search': [], 'assignment-notification': [] };
  readonly issuer: string;
  readonly kafkaBrokers: string;
  readonly mongodbUri: string;
  readonly internalKey = randomBytes(32).toString('base64url');
  readonly #folder = temporaryFolder('stack');
  readonly #directory: DirectorySeed;
  #issuerProcess?: AppHandle;
  #signer?: Signer;

  constructor(
    private readonly options: StackOptions,
    /** Where the first of these will be: gateways may start before them. */
    private readonly ports: FirstPorts,
  ) {
    this.#directory = options.directory ?? { organisations: [organisation('acme')] };
    this.kafkaBrokers = options.servers?.kafkaBrokers ?? required('KAFKA_BROKERS');
    this.mongodbUri = options.servers?.mongodbUri ?? required('MONGODB_URI');
    this.issuer = addressOf(ports.issuer);
    writeFileSync(this.#directoryFile, JSON.stringify(this.#directory));
  }

  get gatewayUrls() {
    return this.apps.gateway.map(({ url }) => url!);
  }

  get gatewayUrl() {
    return this.gatewayUrls[0]!;
  }

  get queryUrl() {
    return addressOf(this.ports['query-search']);
  }

  get #directoryFile() {
    return join(this.#folder, 'directory.json');
  }

  async start() {
    await makeTopics(this.kafkaBrokers);
    const { instances = {} } = this.options;
    const names = (Object.keys(this.apps) as AppName[]).flatMap((app) => Array.from({ length: instances[app] ?? (app === 'assignment-notification' ? 0 : 1) }, () => app));
    await Promise.all([this.#startIssuer(), ...names.map((app) => this.add(app))]);
  }

  async add(app: AppName, changes: AppChanges = {}): Promise<AppHandle> {
    const name = `${app}-${this.apps[app].length}`;
    const handle = this.#handle(name, [built(`apps/${app}/main.js`)]);
    this.apps[app].push(handle);
    const ports = await this.#portsFor(app, this.apps[app].length === 1);
    handle.listensAt(addressOf(ports.management), ports.http === undefined ? undefined : addressOf(ports.http));
    const { env = {}, nodeOptions = {} } = this.options;
    handle.start({
      env: { ...appEnvironment(app, ports, this.#surroundings), ...env[app], ...changes.env },
      nodeOptions: [...memoryLimits, ...(changes.nodeOptions ?? nodeOptions[app] ?? [])],
    });
    await handle.untilReady();
    return handle;
  }

  token(claims: TokenClaims): string {
    const members = this.#directory.organisations.find(({ id }) => id === claims.org)?.members;
    const known = members?.find(({ id }) => id === claims.sub);
    const role = claims.role ?? known?.role;
    if (!role) throw new Error(`there is no ${claims.sub} in ${claims.org}: give a role`);
    return signToken(this.#signer!, { ...(known && { name: known.name, email: known.email }), ...claims, role });
  }

  async stop() {
    const all = [...Object.values(this.apps).flat(), this.#issuerProcess];
    await Promise.all(all.map(async (handle) => handle?.end()));
    rmSync(this.#folder, { recursive: true, force: true });
  }

  get #surroundings(): Surroundings {
    const { kafkaBrokers, mongodbUri, issuer, internalKey, queryUrl } = this;
    return { kafkaBrokers, mongodbUri, issuer, internalKey, queryUrl, assignmentUrl: addressOf(this.ports['assignment-notification']), directoryFile: this.#directoryFile };
  }

  async #startIssuer() {
    const handle = this.#handle('issuer', [built('tools/issuer/main.js')]);
    this.#issuerProcess = handle;
    const signer = signerFile(this.#folder);
    const own = { HOST: host, PORT: String(this.ports.issuer), SIGNER_FILE: signer, DIRECTORY_FILE: this.#directoryFile, CONSOLE_ORIGINS: 'http://127.0.0.1:3000' };
    handle.listensAt(this.issuer);
    handle.start({ env: { ...inherited(), ...own } });
    await handle.untilReady('/.well-known/openid-configuration');
    this.#signer = readSigner(signer)!;
  }

  async #portsFor(app: AppName, isFirst: boolean): Promise<AppPorts> {
    const management = await freePort();
    if (!hasHttp(app)) return { management };
    return { management, http: isFirst && app in this.ports ? this.ports[app as keyof FirstPorts] : await freePort() };
  }

  #handle(name: string, entry: string[]) {
    return new AppHandle({ name, entry, logFile: join(this.#folder, `${name}.log`) });
  }
}

function required(name: string): string {
  const value = process.env[name];
  if (!value) throw new Error(`${name} is not set: the test driver (test/run.mjs) does, or give the stack its servers`);
  return value;
}

import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { type Command, endLeftovers } from '#servers';
import { signerFile } from '../issuer/signer.js';
import { serviceNotes } from '../places.js';
import { addressOf, type AppName, appEnvironment, appNames, host, inherited, readyUrl, type Surroundings } from '../processes/apps.js';
import { Crew } from './crew.js';
import { tellOfRebuilds } from './rebuild-news.js';
import { removeRun, type Run, writeRun } from './run-file.js';
import { choosePorts, keepInboundSecret, keepInternalKey, type Ports } from './settings.js';
import type { Terminal } from './terminal.js';

/** The servers as `#servers` gives them. */
export interface OpenServers {
  kafkaBrokers: string;
  mongodbUri: string;
  servers: Run['servers'];
  stop(): Promise<unknown>;
}

/** What a run is made of. Tests put small programs in the place of the services. */
export interface SupervisorParts {
  dataDir: string;
  /** Wanted port of the gateway; the next free one is taken. */
  gatewayPort: number;
  directoryFile: string;
  producersFile?: string;
  /** Arguments of Node for each program: its entry, with options before it. */
  programs: Record<AppName | 'issuer' | 'mailbox', string[]>;
  /** Aborting `signal` gives a start under way up: it rejects when nothing of it is left. */
  openServers(onChange: () => void, signal: AbortSignal): Promise<OpenServers>;
  ensureTopics(kafkaBrokers: string): Promise<unknown>;
  /** Tells the names of programs whose code has changed, until it is stopped. Without it nobody watches. */
  watch?(onTouched: (names: string[]) => void): { stop(): Promise<void> };
  /** Fills the demo organisations once the gateway answers. */
  seed?(run: Run): Promise<unknown>;
  terminal: Terminal;
}

// With the 7 s in which a leash ends what is left after us, all of it stays within 30 s.
const appGraceMs = 6_000;
const issuerGraceMs = 1_000;
const serversGraceMs = 9_000;

/** Starts all parts in their order, keeps them running and tells of them in `run.json`, and stops them in the reverse order. */
export class Supervisor {
  readonly #parts: SupervisorParts;
  readonly #crew: Crew;
  readonly #starting = new AbortController();
  #opening?: Promise<OpenServers>;
  #servers?: OpenServers;
  #ports?: Ports;
  #watching?: { stop(): Promise<void> };
  #rebuilds?: { stop(): void };
  #isReady = false;

  constructor(parts: SupervisorParts) {
    this.#parts = parts;
    this.#crew = new Crew({
      logsDir: join(parts.dataDir, 'logs'),
      terminal: parts.terminal,
      onChange: () => this.#tellRun(),
    });
  }

  /** Resolves when all parts are ready. Throws `NotReady`, or what kept a server from starting; `stop` is to be called then too. */
  async start(): Promise<Run> {
    const { dataDir, gatewayPort, terminal } = this.#parts;
    removeRun(dataDir);
    // First of all, so that ports can be kept.
    await endLeftovers(serviceNotes(dataDir), (name, pid) => terminal.tell(name, `ends process ${pid}, left behind by a killed run`));
    this.#ports = await choosePorts(dataDir, gatewayPort);
    if (gatewayPort !== 0 && this.#ports.gateway.http !== gatewayPort) {
      terminal.tell('gateway', `port ${gatewayPort} is taken, using ${this.#ports.gateway.http}`, 'warning');
    }
    await Promise.all([this.#openServers(), this.#startIssuer(this.#ports), this.#startMailbox(this.#ports)]);
    await this.#startServices(this.#ports);
    await this.#seed();
    this.#starting.signal.throwIfAborted(); // or a stopped run would leave a run.json
    this.#isReady = true;
    const run = this.#run();
    writeRun(dataDir, run);
    this.#watch();
    this.#rebuilds = tellOfRebuilds({ readyUrl: readyUrl(this.#ports['query-search']), terminal });
    return run;
  }

  /**
   * Stops everything that was started: first the door, so that nothing new comes in. Abort `hurry` to kill instead of waiting.
   * Returns after 22 s at the latest; what is left then ends with this process.
   */
  async stop(hurry?: AbortSignal): Promise<void> {
    this.#isReady = false;
    this.#starting.abort();
    removeRun(this.#parts.dataDir);
    this.#rebuilds?.stop();
    await this.#watching?.stop();
    await this.#crew.stop('gateway', appGraceMs, hurry);
    await Promise.all(appNames.filter((app) => app !== 'gateway').map((app) => this.#crew.stop(app, appGraceMs, hurry)));
    await Promise.all([this.#crew.stop('issuer', issuerGraceMs, hurry), this.#crew.stop('mailbox', issuerGraceMs, hurry)]);
    await Promise.race([this.#closeServers(), delay(serversGraceMs, undefined, { ref: false })]);
  }

  async #closeServers() {
    const servers = await this.#opening?.catch(() => undefined); // told where it was awaited
    await servers?.stop();
  }

  async #openServers() {
    const { openServers, ensureTopics, terminal } = this.#parts;
    this.#opening = openServers(() => this.#tellRun(), this.#starting.signal);
    this.#servers = await this.#opening;
    await ensureTopics(this.#servers.kafkaBrokers);
    terminal.tell('topics', 'ready');
  }

  async #startIssuer({ issuer, gateway }: Ports) {
    const { dataDir, directoryFile, programs } = this.#parts;
    const origins = [host, 'localhost'].map((name) => `http://${name}:${gateway.http}`);
    const own = { HOST: host, PORT: String(issuer), SIGNER_FILE: signerFile(dataDir), DIRECTORY_FILE: directoryFile, CONSOLE_ORIGINS: origins.join() };
    const program = this.#program('issuer', programs.issuer, { ...inherited(), ...own });
    await this.#crew.start('issuer', program, `${addressOf(issuer)}/.well-known/openid-configuration`);
  }

  async #startMailbox({ mailbox: { smtp, http } }: Ports) {
    const own = { HOST: host, PORT: String(http), SMTP_PORT: String(smtp) };
    await this.#crew.start('mailbox', this.#program('mailbox', this.#parts.programs.mailbox, { ...inherited(), ...own }), addressOf(http));
  }

  async #startServices(ports: Ports) {
    const around = this.#surroundings(ports);
    const start = (app: AppName) => {
      const env = appEnvironment(app, ports[app], around);
      return this.#crew.start(app, this.#program(app, this.#parts.programs[app], env), readyUrl(ports[app]));
    };
    await Promise.all(appNames.map(start));
  }

  #program(name: string, args: readonly string[], env: NodeJS.ProcessEnv): Command {
    return { command: [process.execPath, ...args], env, note: { folder: serviceNotes(this.#parts.dataDir), name, mark: args.at(-1)! } };
  }

  #surroundings(ports: Ports): Surroundings {
    return {
      kafkaBrokers: this.#servers!.kafkaBrokers,
      mongodbUri: this.#servers!.mongodbUri,
      issuer: addressOf(ports.issuer),
      internalKey: keepInternalKey(this.#parts.dataDir),
      directoryFile: this.#parts.directoryFile,
      producersFile: this.#parts.producersFile,
      queryUrl: addressOf(ports['query-search'].http!),
      assignmentUrl: addressOf(ports['assignment-notification'].http!),
      smtpUrl: smtpUrl(ports),
      publicUrl: addressOf(ports.gateway.http!),
      inboundEmailSecret: keepInboundSecret(this.#parts.dataDir),
    };
  }

  #watch() {
    const { watch, terminal } = this.#parts;
    this.#watching = watch?.((names) => {
      for (const name of names) {
        this.#crew.restart(name, appGraceMs).catch((error: unknown) => terminal.tell(name, `not started again: ${String(error)}`, 'error'));
      }
    });
  }

  /** Demo tickets are nice to have: without them the run still stands. */
  async #seed() {
    const { seed, terminal } = this.#parts;
    try {
      await seed?.(this.#run());
    } catch (error) {
      terminal.tell('demo tickets', `not made: ${(error as Error).message}`, 'warning');
    }
  }

  /** Keeps `run.json` true. Called from timers and restarts, where nobody could catch an error: a full disk is told and passes. */
  #tellRun() {
    if (!this.#isReady) return;
    try {
      writeRun(this.#parts.dataDir, this.#run());
    } catch (error) {
      this.#parts.terminal.tell('run.json', `not written: ${(error as Error).message}`, 'warning');
    }
  }

  #run(): Run {
    const ports = this.#ports!;
    const { kafkaBrokers, mongodbUri, servers } = this.#servers!;
    const processes = appNames.map((app) => [app, { pid: this.#crew.pidOf(app)!, managementUrl: addressOf(ports[app].management) }]);
    return {
      gateway: addressOf(ports.gateway.http!),
      issuer: addressOf(ports.issuer),
      mailbox: { smtp: smtpUrl(ports), page: addressOf(ports.mailbox.http) },
      kafkaBrokers,
      mongodbUri,
      processes: Object.fromEntries(processes) as Run['processes'],
      servers: { kafka: told(servers.kafka), mongodb: told(servers.mongodb) },
    };
  }
}

const smtpUrl = ({ mailbox }: Ports) => `smtp://${host}:${mailbox.smtp}`;

const told = ({ pids, kind }: Run['servers']['kafka']) => ({ pids: [...pids], kind });

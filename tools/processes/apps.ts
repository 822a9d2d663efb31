import { built } from '../places.js';

/** The services, in the order in which they are stopped: first the door, so that nothing new comes in. */
export const appNames = ['gateway', 'ticket-command', 'query-search', 'assignment-notification'] as const;
export type AppName = (typeof appNames)[number];

/** What all services of one run share. */
export interface Surroundings {
  kafkaBrokers: string;
  mongodbUri: string;
  issuer: string;
  /** Signs what the gateway tells other services about its callers; at least 32 characters. */
  internalKey: string;
  directoryFile: string;
  /** What outside systems may do; none without it. */
  producersFile?: string | undefined;
  queryUrl: string;
  assignmentUrl: string;
  /** Where people find the console, unless our own environment says it. */
  publicUrl?: string | undefined;
  /** Where mails are handed in, unless our own environment says it; without either they fail. */
  smtpUrl?: string | undefined;
  /** Signs mails that are handed in, unless our own environment says it; without either none are taken. */
  inboundEmailSecret?: string | undefined;
}

/** Where a service listens; `http` is there for those that have more than the management port. */
export interface AppPorts {
  management: number;
  http?: number;
}

export const host = '127.0.0.1';

/** Where mails to local organisations are addressed to. */
export const localInboundDomain = 'in.deskstream.localhost';

export const addressOf = (port: number) => `http://${host}:${port}`;

/** Where a service says whether it is ready. */
export const readyUrl = ({ management }: AppPorts) => `${addressOf(management)}/health/ready`;

/** Whether a service answers more than its management port. */
export const hasHttp = (app: AppName) => app !== 'ticket-command';

/**
 * A service needs little memory; without a limit Node lets garbage pile up in proportion to the machine's. Young objects get 8 MB:
 * what a few hundred open requests hold is copied by every collection, which with 4 MB were a fifth of the gateway's CPU. 16 MB are no quicker, and cost 15 MB.
 * Services share the cores: helpers of a collection of young objects would mostly wait for one. The compiler between the quick one and the thorough one (maglev) costs 8 to 25 MB, and nothing
 * is slower without it. All measured with `npm run bench -- rest reads backlog`. The image in `deploy/Dockerfile` sets the same.
 */
export const memoryLimits = ['--max-semi-space-size=8', '--max-old-space-size=192', '--no-parallel-scavenge', '--no-maglev'];

/** glibc keeps eight heaps a core, and large buffers in them once one was freed: these make 25 MB less of a busy service. In the image, too. */
const mallocLimits = { MALLOC_ARENA_MAX: '2', MALLOC_MMAP_THRESHOLD_: '131072' };

/** Entry of a built service. */
export const entryOf = (app: AppName) => built(`apps/${app}/main.js`);

/** The environment of a service. */
export function appEnvironment(app: AppName, ports: AppPorts, around: Surroundings): NodeJS.ProcessEnv {
  const own = {
    gateway: {
      OIDC_ISSUER: around.issuer,
      OIDC_AUDIENCE: 'deskstream',
      CONSOLE_CLIENT_ID: 'deskstream-console',
      QUERY_URL: around.queryUrl,
      ASSIGNMENT_URL: around.assignmentUrl,
      INTERNAL_KEY: around.internalKey,
      DIRECTORY_FILE: around.directoryFile,
      ...(around.producersFile !== undefined && { PRODUCERS_FILE: around.producersFile }),
      TOPICS_PROFILE: 'local',
      ...unlessSaid({ INBOUND_EMAIL_SECRET: around.inboundEmailSecret }),
    },
    'ticket-command': { ALLOW_PAST_COMMANDS: 'true' }, // for npm run demo:seed
    'query-search': { INTERNAL_KEY: around.internalKey },
    'assignment-notification': {
      INTERNAL_KEY: around.internalKey,
      ...unlessSaid({ WEBHOOK_ALLOW_LOOPBACK: 'true' }),
      ...unlessSaid({ PUBLIC_URL: around.publicUrl, SMTP_URL: around.smtpUrl, INBOUND_DOMAIN: around.inboundEmailSecret && localInboundDomain }),
    },
  }[app];
  return {
    ...inherited(),
    KAFKA_BROKERS: around.kafkaBrokers,
    MONGODB_URI: around.mongodbUri,
    HOST: host,
    MANAGEMENT_PORT: String(ports.management),
    LOG_FORMAT: 'json',
    ...mallocLimits,
    ...(ports.http !== undefined && { PORT: String(ports.http) }),
    ...own,
  };
}

/** What our own environment says comes first. */
const unlessSaid = (values: Record<string, string | undefined>) => Object.fromEntries(Object.entries(values).flatMap(([name, value]) => (value === undefined ? [] : [[name, process.env[name] ?? value]])));

/** Our own environment without what is meant for npm, for this process, or for one service only. */
export function inherited(): NodeJS.ProcessEnv {
  const foreign = /^(npm_|NODE_OPTIONS$|NODE_ENV$|PORT$|HOST$|DEMO$|STARTED_BY$|JEST_)/;
  return Object.fromEntries(Object.entries(process.env).filter(([name]) => !foreign.test(name)));
}

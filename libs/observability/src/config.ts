import { z } from 'zod';

/** A TCP port as environments give it; 0 lets the system choose. */
export const Port = z
  .string()
  .regex(/^\d{1,5}$/, 'must be a port number')
  .transform(Number)
  .pipe(z.number().max(65_535));

/** Variables that every service reads. Spread into a service's own `z.object`. */
export const commonConfig = {
  /** `host:port`, several between commas. */
  KAFKA_BROKERS: z
    .string({ error: 'is missing: name the Kafka brokers as host:port, several between commas' })
    .transform((value) => value.split(',').map((broker) => broker.trim()))
    .pipe(z.array(z.string().regex(/^[^\s:]+:\d{1,5}$|^\[[0-9a-fA-F:]+\]:\d{1,5}$/, 'must be host:port, several between commas')).min(1)),
  MONGODB_URI: z
    .string({ error: 'is missing: name the MongoDB server as mongodb://…' })
    .regex(/^mongodb(\+srv)?:\/\/\S+$/, 'must start with mongodb:// or mongodb+srv://'),
  /** Address that the service listens on. */
  HOST: z.string().min(1).default('127.0.0.1'),
  /** Port of health answers and metrics. */
  MANAGEMENT_PORT: Port,
  LOG_LEVEL: z.enum(['trace', 'debug', 'info', 'warn', 'error', 'fatal']).default('info'),
  /** `pretty` is for people; without it, terminals get pretty lines and everything else JSON. */
  LOG_FORMAT: z.enum(['json', 'pretty']).default(process.stdout.isTTY ? 'pretty' : 'json'),
} as const;

/** How to get in at Kafka, for services and tools alike: nothing set means that nobody is asked. */
export const KafkaAccess = z
  .object({
    KAFKA_SASL_MECHANISM: z.enum(['plain', 'scram-sha-256', 'scram-sha-512'], { error: 'must be plain, scram-sha-256 or scram-sha-512' }).optional(),
    KAFKA_USERNAME: z.string().min(1).optional(),
    KAFKA_PASSWORD: z.string().min(1).optional(),
    /** Encrypted, the broker proven by a certificate. */
    KAFKA_SSL: z.enum(['true', 'false'], { error: 'must be true or false' }).default('false'),
    /** PEM file of who vouches for the broker's certificate; those that Node knows without it. */
    KAFKA_SSL_CA_FILE: z.string().min(1).optional(),
  })
  .superRefine(({ KAFKA_SASL_MECHANISM: mechanism, ...given }, context) => {
    for (const name of ['KAFKA_USERNAME', 'KAFKA_PASSWORD'] as const) {
      if (mechanism !== undefined && given[name] === undefined) context.addIssue({ code: 'custom', path: [name], message: 'is missing: KAFKA_SASL_MECHANISM asks for it' });
      if (mechanism === undefined && given[name] !== undefined) context.addIssue({ code: 'custom', path: ['KAFKA_SASL_MECHANISM'], message: `is missing: ${name} is of no use without it` });
    }
    if (given.KAFKA_SSL_CA_FILE !== undefined && given.KAFKA_SSL !== 'true') context.addIssue({ code: 'custom', path: ['KAFKA_SSL'], message: 'must be true where KAFKA_SSL_CA_FILE is set' });
  });
export type KafkaAccess = z.infer<typeof KafkaAccess>;

const CommonConfig = z.object(commonConfig);
export type CommonConfig = z.infer<typeof CommonConfig>;

/** Reads a service's settings. Names every missing or wrong variable on stderr and ends the process with 1. */
export function readConfig<T>(schema: z.ZodType<T>, env: NodeJS.ProcessEnv = process.env): T {
  const result = schema.safeParse(env);
  const access = KafkaAccess.safeParse(env);
  if (result.success && access.success) return result.data;
  const lines = [result, access].flatMap(({ error }) => error?.issues ?? []).map((issue) => `  ${issue.path.join('.')}: ${env[String(issue.path[0])] === undefined ? missing(issue.message) : issue.message}`);
  process.stderr.write(`The settings are not complete. Set these environment variables:\n${lines.join('\n')}\n`);
  process.exit(1);
}

const missing = (message: string) => (message.startsWith('is missing') ? message : `is missing (${message})`);

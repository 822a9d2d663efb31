import { z } from 'zod';

/** Environment of the issuer process; `npm start` and the test stack set it. */
const Environment = z.object({
  HOST: z.string().default('127.0.0.1'),
  PORT: z.coerce.number().int().min(1).max(65_535),
  /** File with the key and the address, shared with `npm run token`. */
  SIGNER_FILE: z.string().min(1),
  DIRECTORY_FILE: z.string().min(1),
  CONSOLE_CLIENT_ID: z.string().min(1).default('deskstream-console'),
  /** Origins that the console is served from, separated by commas. */
  CONSOLE_ORIGINS: z.string().transform((list) => list.split(',').map((origin) => new URL(origin).origin)),
});

/** Reads the environment. Throws a message that names every wrong or missing value. */
export function readConfig(env: NodeJS.ProcessEnv) {
  const parsed = Environment.safeParse(env);
  if (!parsed.success) throw new Error(`issuer: ${z.prettifyError(parsed.error)}`);
  return parsed.data;
}

export type IssuerConfig = ReturnType<typeof readConfig>;

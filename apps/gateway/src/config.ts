import { z } from 'zod';
import { commonConfig, Port } from '#observability';
import { inPackage } from './published-files.js';

const url = z.string().regex(/^https?:\/\/\S+$/, 'must be an http:// or https:// address');

/** Settings of the gateway, as its environment names them. */
export const Config = z.object({
  ...commonConfig,
  /** Port of the public door. */
  PORT: Port.default(3000),
  /** Whose tokens are taken, exactly as their `iss` says it. */
  OIDC_ISSUER: url,
  /** The `aud` that tokens must name. */
  OIDC_AUDIENCE: z.string().min(1),
  /** Tokens of this client make tickets of the channel `console`. */
  CONSOLE_CLIENT_ID: z.string().min(1).default('deskstream-console'),
  /** Address of query-search. */
  QUERY_URL: url,
  /** Address of assignment-notification. */
  ASSIGNMENT_URL: url,
  /** Signs what is told to other services about who asks. */
  INTERNAL_KEY: z.string().min(32, 'must have at least 32 characters'),
  /** Signs mails that are handed in at `/v1/inbound-email`; without it none are taken. */
  INBOUND_EMAIL_SECRET: z.string().regex(/^whsec_[A-Za-z0-9+/]{32,}={0,2}$/, 'must be whsec_ and at least 24 random bytes in base64').optional(),
  /** JSON file with the first members and assistants of organisations that have none yet. */
  DIRECTORY_FILE: z.string().min(1).optional(),
  /** JSON file that registers outside systems at every start. */
  PRODUCERS_FILE: z.string().min(1).optional(),
  /** What the topics of outside systems should be; the file that comes with the gateway unless told otherwise. */
  TOPICS_FILE: z.string().min(1).default(inPackage('deploy/topics.yaml')),
  /** Profile of that file: `production` keeps three replicas, `local` one. */
  TOPICS_PROFILE: z.string().min(1).default('production'),
});
export type Config = z.infer<typeof Config>;

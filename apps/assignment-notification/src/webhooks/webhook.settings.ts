import type { Config } from '../config.js';

/** How webhooks are sent, as operators set it. */
export interface WebhookSettings {
  allowLoopback: boolean;
  dnsServers: readonly string[] | undefined;
  /** Pauses between tries, s. */
  pauses: readonly number[];
  switchOffAfterMs: number;
}

/** Where they are. */
export const WEBHOOK_SETTINGS = Symbol('webhook settings');

export const webhookSettings = (config: Config): WebhookSettings => ({
  allowLoopback: config.WEBHOOK_ALLOW_LOOPBACK === 'true',
  dnsServers: config.WEBHOOK_DNS_SERVERS,
  pauses: config.WEBHOOK_RETRY_PAUSES,
  switchOffAfterMs: config.WEBHOOK_SWITCH_OFF_AFTER * 1_000,
});

import { randomUUID } from 'node:crypto';
import { readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { look } from '#servers';

/** What `.deskstream/run.json` tells while a run is ready (contract section 7). */
export interface Run {
  /** Address of the gateway, such as `http://127.0.0.1:3000`. */
  gateway: string;
  issuer: string;
  /** `host:port`, separated by commas. */
  kafkaBrokers: string;
  mongodbUri: string;
  /** The local mail server: where mails are handed in, and the page that shows them. */
  mailbox: { smtp: string; page: string };
  processes: Record<string, { pid: number; managementUrl: string }>;
  servers: Record<'kafka' | 'mongodb', { pids: number[]; kind: string }>;
}

const runFile = (dataDir: string) => join(dataDir, 'run.json');

/** Writes it in one step: a reader sees the old one or the new one. */
export function writeRun(dataDir: string, run: Run) {
  replaceFile(runFile(dataDir), `${JSON.stringify(run, null, 2)}\n`, 0o600); // named servers may have a password in their address
}

export function removeRun(dataDir: string) {
  rmSync(runFile(dataDir), { force: true });
}

/** What is running; undefined when nothing is, or when what the file tells of is gone (its writer was killed). */
export function readRun(dataDir: string): Run | undefined {
  const run = parseRun(dataDir);
  return run && Object.values(run.processes).some(({ pid }) => look(pid)) ? run : undefined;
}

function parseRun(dataDir: string): Run | undefined {
  try {
    const run = JSON.parse(readFileSync(runFile(dataDir), 'utf8')) as Run;
    return run.processes && run.servers ? run : undefined;
  } catch {
    return undefined; // not there, or not ours
  }
}

/** Replaces a file in one step. */
export function replaceFile(file: string, text: string, mode = 0o644) {
  const draft = `${file}.${randomUUID()}`;
  writeFileSync(draft, text, { mode });
  renameSync(draft, file);
}

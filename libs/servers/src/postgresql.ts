import { existsSync } from 'node:fs';
import { chmod, mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { debianMirror, isDebian, mmdebstrap, run } from './machine.js';
import { ServersUnavailable, type Surroundings, waysToServers } from './server.js';
import { install } from './software.js';
import { type Started, startOnFreePorts } from './started.js';

const bin = '/usr/lib/postgresql/18/bin';
const keyring = '/usr/share/keyrings/debian-archive-keyring.gpg';

/**
 * PostgreSQL 18 with the DocumentDB extension, from Debian's archive, in a root folder (`/`) of its own: the machine's own packages stay as
 * they are. Returns that folder. Throws `ServersUnavailable` where that cannot be had.
 */
export async function installPostgresql(around: Surroundings): Promise<string> {
  if (process.platform !== 'linux' || process.getuid?.() !== 0) throw unavailable();
  const build = async (folder: string) => {
    const mirror = isDebian() && existsSync(keyring) ? debianMirror() : undefined;
    if (!mirror) throw unavailable();
    const packages = ['--variant=apt', '--include=postgresql-18,postgresql-18-documentdb'];
    const still = '--aptopt=Acquire::Check-Valid-Until "false"'; // A mirror that stands still is fine; the archive's signature is checked all the same.
    const source = `deb [signed-by=${keyring}] ${mirror} sid main`;
    await run({ command: ['mmdebstrap', '--quiet', still, ...packages, 'sid', join(folder, 'root'), source] }, around.signal);
    await rm(join(folder, 'root/var/cache/apt'), { recursive: true, force: true });
    await mkdir(join(folder, 'root', dataInRoot), { recursive: true });
    await chmod(folder, 0o755); // PostgreSQL runs as a user of its own.
  };
  const proof = [`root${bin}/postgres`, 'root/usr/share/postgresql/18/extension/documentdb.control'];
  const software = { name: 'postgresql', version: '18-documentdb', tools: [mmdebstrap], proof, build };
  return join(await install(software, around), 'root');
}

function unavailable(): ServersUnavailable {
  const reason = 'MongoDB cannot run as local processes here: there is no mongod 7 or 8, and FerretDB on PostgreSQL needs Debian and root.';
  return new ServersUnavailable(reason, waysToServers('install mongod 7 or 8, or run this on Debian as root'));
}

/**
 * Makes PostgreSQL a document store; it counts as ready when that is done. The jobs that build indexes and remove expired documents have
 * kept the port at which they were made, which may have been another one.
 */
const equip = (port: number) => `
  create extension if not exists documentdb cascade;
  create extension if not exists documentdb_extended_rum;
  update cron.job set nodeport = ${port} where nodeport <> ${port}`;

/** Starts PostgreSQL with its data in `postgresql` below the data folder. */
export async function startPostgresql(root: string, around: Surroundings): Promise<Started> {
  const folder = join(around.dataDir, 'postgresql');
  const data = join(folder, 'data');
  await initialise(root, folder, data, around);
  return startOnFreePorts(1, around, async (port = 0) => {
    await writeFile(join(data, 'postgresql.conf'), postgresqlConf({ port, memory: around.memory }));
    const mark = `cluster_name=${port}`; // Shown in the title of each of its processes.
    const psql = [`${bin}/psql`, '-h', '127.0.0.1', '-p', `${port}`, '-U', 'postgres', '-Xqc', equip(port)];
    return {
      name: 'postgresql',
      command: asPostgres(root, data, [`${bin}/postgres`, '-D', dataInRoot, '-c', mark]),
      mark,
      gentle: 'SIGINT', // Its fast shutdown: clients are cut off, everything is written.
      answers: () => run({ command: asPostgres(root, data, psql) }, around.signal),
      readyWithinMs: 60_000,
      patienceMs: 8_000,
    };
  });
}

async function initialise(root: string, folder: string, data: string, { say, signal }: Surroundings): Promise<void> {
  const initialised = join(folder, 'initialised');
  if (existsSync(initialised)) return;
  say('postgresql', 'makes its data folder');
  await rm(data, { recursive: true, force: true }); // An initdb that was cut off; nothing was ever stored in it.
  await mkdir(data, { recursive: true });
  const initdb = [`${bin}/initdb`, '-D', dataInRoot, '-U', 'postgres', '-A', 'trust', '-E', 'UTF8', '--locale=C.UTF-8'];
  await run({ command: inRoot(root, data, ['chown', 'postgres:', dataInRoot]) }, signal);
  await run({ command: asPostgres(root, data, initdb) }, signal);
  await writeFile(initialised, '');
}

const dataInRoot = '/var/lib/postgresql/data';

/** Mounts what the server needs into its root, in a mount namespace of its own: the mounts are gone with the last process in it. */
const enter = `set -e
PATH="$PATH:/usr/sbin:/sbin" # of a root that did not sign in there are neither
root=$1 data=$2; shift 2
mount --bind /proc "$root/proc"
mount --rbind /dev "$root/dev"
mount --bind "$data" "$root${dataInRoot}"
exec chroot "$root" "$@"`;

function inRoot(root: string, data: string, command: readonly string[]): [string, ...string[]] {
  return ['unshare', '--mount', 'sh', '-c', enter, 'enter', root, data, ...command];
}

function asPostgres(root: string, data: string, command: readonly string[]): [string, ...string[]] {
  return inRoot(root, data, ['setpriv', '--reuid=postgres', '--regid=postgres', '--clear-groups', ...command]);
}

/** The server's configuration, for two cores that it shares. Durability is left as it is: fsync and synchronous_commit are on. */
export function postgresqlConf({ port, memory }: { port: number; memory: 'small' | 'normal' }): string {
  const [buffers, log] = memory === 'small' ? ['128MB', '512MB'] : ['1GB', '2GB'];
  return `listen_addresses = '127.0.0.1'
port = ${port}
shared_buffers = '${buffers}'
max_wal_size = '${log}'
${settings}`;
}

const settings = `unix_socket_directories = ''
ssl = off
max_connections = 200

shared_preload_libraries = 'pg_cron, pg_documentdb_core, pg_documentdb, pg_documentdb_extended_rum'
# Ordered index scans; without them a list page sorts everything that matches.
documentdb.alternate_index_handler_name = 'extended_rum'
documentdb.rum_library_load_option = 'require_documentdb_extended_rum'
# DocumentDB builds indexes by jobs of pg_cron, every few seconds; a diary of them is of no use.
cron.database_name = 'postgres'
cron.host = '127.0.0.1'
cron.log_run = off
cron.log_statement = off

# Plans are short and many: compiling them costs more than it saves.
jit = off
# Checkpoints far apart and spread out: fewer whole pages in the log, no bursts of writing while commands wait.
# Not farther than max_wal_size above: after a crash all since the last one is done again (2 GB in about 8 s).
checkpoint_timeout = '5min'
checkpoint_completion_target = 0.9
wal_buffers = '16MB'
# Whole pages in the log are squeezed: less to write before a commit returns.
wal_compression = 'lz4'
# So are documents above 2 KB: reading one takes half of what it does with PostgreSQL's own way, and writing one less still.
default_toast_compression = 'lz4'
# Nobody replicates from here.
wal_level = minimal
max_wal_senders = 0
# One vacuum worker beside the load, but often: views and heads are overwritten all the time.
autovacuum_max_workers = 1
autovacuum_naptime = '15s'
# SSD: any page costs about the same.
random_page_cost = 1.1

# Under a long load that is as it should be.
checkpoint_warning = 0
log_checkpoints = off
log_timezone = 'UTC'
timezone = 'UTC'
`;

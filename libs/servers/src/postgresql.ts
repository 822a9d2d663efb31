import { existsSync } from 'node:fs';
import { chmod, mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { debianMirror, isDebian, mmdebstrap, needTools, run } from './machine.js';
import { ServersUnavailable, type Surroundings, waysToServers } from './server.js';
import { type Program } from './server-process.js';
import { install } from './software.js';

const bin = '/usr/lib/postgresql/18/bin';
const dataInRoot = '/var/lib/postgresql/data';
const keyring = '/usr/share/keyrings/debian-archive-keyring.gpg';

/** PostgreSQL 18 with the DocumentDB extension: the folder that is its root (`/`), where it is built and run apart from the machine's own packages. */
export async function installPostgresql(around: Surroundings): Promise<string> {
  const mirror = sourceOf();
  await needTools('postgresql', [mmdebstrap], around);
  const packages = ['--variant=apt', '--include=postgresql-18,postgresql-18-documentdb'];
  // A mirror that stands still is fine: every package is still checked against the archive's signature.
  const trust = ['--aptopt=Acquire::Check-Valid-Until "false"'];
  const software = {
    name: 'postgresql-documentdb',
    version: '18-1',
    proof: [`root${bin}/postgres`, 'root/usr/share/postgresql/18/extension/documentdb.control'],
    build: async (folder: string) => {
      const source = `deb [signed-by=${keyring}] ${mirror} sid main`;
      await run({ command: ['mmdebstrap', '--quiet', ...trust, ...packages, 'sid', join(folder, 'root'), source] }, around.signal);
      await rm(join(folder, 'root/var/cache/apt'), { recursive: true, force: true });
      await chmod(folder, 0o755);
    },
  };
  return join(await install(software, around), 'root');
}

/** The extension comes from Debian's archive; unpacking and entering a root of its own takes root's rights. */
function sourceOf(): string {
  const mirror = isDebian() ? debianMirror() : undefined;
  if (process.platform === 'linux' && process.getuid?.() === 0 && mirror && existsSync(keyring)) return mirror;
  const reason = 'MongoDB cannot run as local processes here: there is no mongod, and FerretDB on PostgreSQL needs Debian and root.';
  throw new ServersUnavailable(reason, waysToServers('install mongod 7 or 8, or run this on Debian as root'));
}

/** Makes the data folder when there is none yet, and writes the configuration. */
export async function preparePostgresql(root: string, folder: string, settings: Settings, around: Surroundings): Promise<void> {
  await mkdir(folder, { recursive: true });
  const initialised = join(folder, 'initialised');
  const data = join(folder, 'data');
  if (!existsSync(initialised)) {
    around.say('postgresql', 'makes its data folder');
    await rm(data, { recursive: true, force: true }); // An initdb that was cut off; nothing was ever stored in it.
    await mkdir(data);
    const initdb = `chown postgres: ${dataInRoot} && exec setpriv --reuid=postgres --regid=postgres --clear-groups \
      ${bin}/initdb -D ${dataInRoot} -U postgres -A trust -E UTF8 --locale=C.UTF-8`;
    await run({ command: inRoot(root, data, ['sh', '-c', initdb]) }, around.signal);
    await writeFile(initialised, '');
  }
  await writeFile(join(data, 'postgresql.conf'), postgresqlConf(settings));
}

interface Settings {
  readonly port: number;
  readonly memory: 'small' | 'normal';
}

/** The server's configuration, for two cores that it shares with everything else. Durability is untouched: fsync and synchronous_commit stay on. */
export function postgresqlConf({ port, memory }: Settings): string {
  return `listen_addresses = '127.0.0.1'
port = ${port}
unix_socket_directories = ''
ssl = off
max_connections = 200

shared_preload_libraries = 'pg_cron, pg_documentdb_core, pg_documentdb, pg_documentdb_extended_rum'
# Ordered index scans; without them a list page sorts everything that matches.
documentdb.alternate_index_handler_name = 'extended_rum'
documentdb.rum_library_load_option = 'require_documentdb_extended_rum'
# DocumentDB builds indexes by jobs of pg_cron; a diary of their every run is of no use.
cron.database_name = 'postgres'
cron.host = '127.0.0.1'
cron.log_run = off
cron.log_statement = off

shared_buffers = '${memory === 'small' ? '128MB' : '1GB'}'
# A dead server must not leave its buffers in a file that only a person would remove.
dynamic_shared_memory_type = posix
# Plans are short and many: compiling them costs more than it saves.
jit = off
# Checkpoints far apart and spread out: fewer whole pages in the log, no bursts of writing while commands wait.
checkpoint_timeout = '15min'
checkpoint_completion_target = 0.9
max_wal_size = '${memory === 'small' ? '512MB' : '4GB'}'
wal_compression = 'lz4'
wal_buffers = '16MB'
# Nobody replicates from here.
wal_level = minimal
max_wal_senders = 0
# One vacuum worker beside the load, at the default gentle pace.
autovacuum_max_workers = 1
# SSD: an index page costs little more than one in sequence.
random_page_cost = 1.1

log_min_messages = warning
log_timezone = 'UTC'
timezone = 'UTC'
`;
}

/** The running server. It answers once the extension that makes it a document store is in place. */
export function postgresqlProgram(root: string, folder: string, { port }: Settings, signal: AbortSignal): Program {
  const data = join(folder, 'data');
  const asPostgres = ['setpriv', '--reuid=postgres', '--regid=postgres', '--clear-groups'];
  const psql = [`${bin}/psql`, '-h', '127.0.0.1', '-p', String(port), '-U', 'postgres', '-Xqc', extensions];
  const mark = `cluster_name=${port}`;
  return {
    name: 'postgresql',
    command: inRoot(root, data, [...asPostgres, `${bin}/postgres`, '-D', dataInRoot, '-c', mark]),
    mark,
    gentle: 'SIGINT', // PostgreSQL's fast shutdown: clients are cut off, everything is written.
    answers: () => run({ command: inRoot(root, data, [...asPostgres, ...psql]) }, signal),
    readyWithinMs: 60_000,
    patienceMs: 12_000,
  };
}

const extensions = 'create extension if not exists documentdb cascade; create extension if not exists documentdb_extended_rum';

/** Mounts what the server needs into its root, in a mount namespace of its own: the mounts are gone with the last process in it. */
const enter = `set -e
root=$1 data=$2; shift 2
mount --bind /proc "$root/proc"
mount --rbind /dev "$root/dev"
mkdir -p "$root${dataInRoot}"
mount --bind "$data" "$root${dataInRoot}"
exec chroot "$root" "$@"`;

function inRoot(root: string, data: string, command: readonly string[]): [string, ...string[]] {
  return ['unshare', '--mount', 'sh', '-c', enter, 'enter', root, data, ...command];
}

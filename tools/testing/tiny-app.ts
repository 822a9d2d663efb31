import { createServer } from 'node:http';

/**
 * Stands for a service: answers `/health/ready` on its management port, echoes its environment at `/env`, takes its `PORT`, and does as `TINY` says:
 * `deaf` ignores SIGTERM, `old` is building something anew when it is asked for its health, a quarter further each time, `ill` is never ready, `broken` exits at once, `slow` takes a second to stop.
 */
const behaviour = process.env['TINY'] ?? '';
const log = (level: number, msg: string) => console.log(JSON.stringify({ level, time: Date.now(), msg }));

if (behaviour === 'broken') {
  console.error('QUERY_URL: is missing');
  process.exit(1);
}

let asked = -1;
/** Once all of them are up, they have been asked once. */
function rebuild() {
  asked++;
  return behaviour === 'old' && asked > 0 && asked < 5 ? { rebuild: { label: 'events', done: asked - 1, total: 4 } } : {};
}

const server = createServer((request, response) => {
  if (request.url === '/env') return response.end(JSON.stringify(process.env));
  if (request.url === '/warn') log(40, 'the broker is slow');
  const status = behaviour === 'ill' ? 503 : 200;
  response.writeHead(status).end(JSON.stringify({ status: status === 200 ? 'up' : 'down', checks: { kafka: 'down' }, ...rebuild() }));
});
if (process.env['PORT']) createServer().listen(Number(process.env['PORT']), '127.0.0.1');
server.listen(Number(process.env['MANAGEMENT_PORT']), '127.0.0.1', () => log(30, 'listening'));

process.on('SIGTERM', () => {
  log(30, 'stopping');
  if (behaviour !== 'deaf') setTimeout(() => process.exit(0), behaviour === 'slow' ? 1_000 : 0);
});

import { Leash } from '../processes/leash.js';

/**
 * Holds the programs given as JSON arguments (`[command, …args]`) on a leash, prints their process ids and
 * that of the watcher, again when it changes, and waits to be killed.
 */
const leash = new Leash();
const pids = process.argv.slice(2).map((text) => {
  const [command, ...args] = JSON.parse(text) as [string, ...string[]];
  return leash.spawn({ command, args, env: process.env }).pid;
});
let told: number | undefined;
setInterval(() => {
  if (leash.pid !== told) console.log(JSON.stringify({ watcher: (told = leash.pid), pids }));
}, 20);

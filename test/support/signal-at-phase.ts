/** Preload for tests: as soon as the process has brought the read model's course into the phase `AT_PHASE`, it sends `PHASE_SIGNAL` to the process `PHASE_PID`, by default itself. */
import mongoose from 'mongoose';

const { AT_PHASE: phase, PHASE_SIGNAL: signal, PHASE_PID: pid = process.pid } = process.env;
const { prototype: collection } = mongoose.mongo.Collection;
const { replaceOne } = collection;

collection.replaceOne = async function (this: typeof collection, ...given: Parameters<typeof replaceOne>) {
  const replaced = await replaceOne.apply(this, given);
  if (this.collectionName === 'generations' && (given[1] as { phase?: string }).phase === phase) process.kill(Number(pid), signal);
  return replaced;
} as typeof replaceOne;

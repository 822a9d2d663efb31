/** Runs before each spec that needs servers: those of this lane, which is a worker of jest. Two specs at once share neither topics, consumer groups nor databases. */
const { DESKSTREAM_LANES: lanes, JEST_WORKER_ID: worker = '1' } = process.env;
if (lanes !== undefined) Object.assign(process.env, JSON.parse(lanes)[Number(worker) - 1]);

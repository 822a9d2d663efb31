export { commonConfig, KafkaAccess, Port, readConfig, type CommonConfig } from './config.js';
export { Health } from './health.js';
export { loggedUrl } from './logged-url.js';
export { context, createLogger, NestLogger } from './logger.js';
export { patiently } from './patiently.js';
export { ProblemError, ProblemFilter, problemOf, sendProblem } from './problem.filter.js';
export { amount, duration, Progress, type Step } from './progress.js';
export { SchemaPipe } from './schema.pipe.js';
export { startService, type ServiceOptions } from './start-service.js';

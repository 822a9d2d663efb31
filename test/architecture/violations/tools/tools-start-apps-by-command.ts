export { entry } from '../apps/gateway/src/entry.js';

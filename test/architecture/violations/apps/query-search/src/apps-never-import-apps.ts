export { entry } from '../../gateway/src/entry.js';

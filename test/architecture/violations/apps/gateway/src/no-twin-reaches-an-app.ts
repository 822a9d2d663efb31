export { twin } from '../../../libs/persistence/testing/in-memory-store.js';

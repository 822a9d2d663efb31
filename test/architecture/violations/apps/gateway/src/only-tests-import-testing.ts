export { built } from '../../../libs/persistence/testing/builders.js';

export { hidden } from '../../../libs/domain/src/hidden.js';

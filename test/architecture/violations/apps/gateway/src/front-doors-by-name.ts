export { door } from '../../../libs/domain/src/index.js';

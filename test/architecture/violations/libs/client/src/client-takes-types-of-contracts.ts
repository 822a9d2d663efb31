export { door } from '#contracts';

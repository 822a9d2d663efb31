export { door } from '#domain';

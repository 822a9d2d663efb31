export { door } from '#persistence';

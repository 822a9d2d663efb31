export { door } from '#messaging';

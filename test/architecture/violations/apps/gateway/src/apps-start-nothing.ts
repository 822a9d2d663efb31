export { door } from '#servers';

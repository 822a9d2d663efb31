export { fetch } from 'undici';

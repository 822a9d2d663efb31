export { nothing } from 'no-such-package';

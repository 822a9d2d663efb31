export { AssertionGuard, INTERNAL_DOOR, type InternalDoor } from './assertion.guard.js';
export { Assertions } from './assertions.js';

export type { LetterState, Wish } from './decisions.js';
export { Desk, Patience, type Filter } from './desk.js';
export { contentOf, readId, readLetter, sourceTopic, textOf, unreadable, type Letter, type LetterPlace } from './letter.js';
export { ownerOf } from './owner.js';
export { decide, handful, type Outcome } from './replay.js';
export { Trouble } from './trouble.js';

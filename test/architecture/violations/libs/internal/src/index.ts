export const door = 'internal';

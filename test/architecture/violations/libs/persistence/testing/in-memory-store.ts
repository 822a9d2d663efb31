export const twin = 'a store in memory';

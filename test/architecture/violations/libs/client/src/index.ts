export const door = 'client';

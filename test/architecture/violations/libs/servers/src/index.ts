export const door = 'servers';

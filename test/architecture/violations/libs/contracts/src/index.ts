export const door = 'contracts';

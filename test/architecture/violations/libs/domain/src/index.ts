export const door = 'domain';

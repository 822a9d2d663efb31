export const door = 'messaging';

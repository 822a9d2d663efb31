export const door = 'observability';

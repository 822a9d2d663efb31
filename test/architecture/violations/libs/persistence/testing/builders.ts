export const built = 'a builder';

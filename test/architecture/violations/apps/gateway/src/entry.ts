export const entry = 'an app';

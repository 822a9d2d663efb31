export const isThere = (answer: Promise<boolean>) => (answer ? 'yes' : 'no');

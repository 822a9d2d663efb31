export const parsed = (text: string) => JSON.parse(text);

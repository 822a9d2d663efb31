export const number = (text: string) => Math.abs(JSON.parse(text));

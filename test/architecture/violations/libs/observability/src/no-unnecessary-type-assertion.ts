export const name = (text: string) => text as string;

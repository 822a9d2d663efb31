export const isSame = (one: string, other: string) => one == other;

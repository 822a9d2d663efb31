// eslint-disable-next-line eqeqeq
export const isSame = (one: string, other: string) => one == other;

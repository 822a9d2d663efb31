export const wait = async (value: number) => [await value];

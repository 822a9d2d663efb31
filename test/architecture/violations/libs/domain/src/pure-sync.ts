export const decideLater = async (decision: Promise<string>) => `${await decision}!`;

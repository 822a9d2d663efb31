export const isLate = (due: string) => Date.parse(due) < new Date().getTime();

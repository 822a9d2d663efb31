let decided = 0;
export const decide = () => (decided += 1);

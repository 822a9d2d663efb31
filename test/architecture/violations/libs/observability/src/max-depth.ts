export function firstOf(cube: string[][][], wanted: string): string | undefined {
  for (const square of cube) {
    for (const row of square) {
      for (const word of row) {
        if (word === wanted) return word;
      }
    }
  }
  return undefined;
}

export function double(value: number): number {
  let twice = value * 2;
  return twice;
}

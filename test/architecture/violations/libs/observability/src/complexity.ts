export function grade(points: number): string {
  if (points > 90) return 'A';
  if (points > 80) return 'B';
  if (points > 70) return 'C';
  if (points > 60) return 'D';
  if (points > 50) return 'E';
  if (points > 40) return 'F';
  if (points > 30) return 'G';
  return points > 20 ? 'H' : 'I';
}

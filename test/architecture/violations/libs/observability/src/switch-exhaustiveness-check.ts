export function word(colour: 'red' | 'green'): string | undefined {
  switch (colour) {
    case 'red':
      return 'stop';
  }
  return undefined;
}

export function parsed(text: string): void {
  const value = JSON.parse(text);
  void value;
}

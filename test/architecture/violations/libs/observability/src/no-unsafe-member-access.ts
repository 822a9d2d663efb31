export function title(text: string): void {
  void JSON.parse(text).title;
}

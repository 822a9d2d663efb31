export function run(text: string): void {
  JSON.parse(text)();
}

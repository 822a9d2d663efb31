export function send(request: () => Promise<void>): void {
  request();
}

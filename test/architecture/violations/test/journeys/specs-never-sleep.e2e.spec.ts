declare const delay: (ms: number) => Promise<void>;

export async function waits(): Promise<void> {
  await delay(50);
}

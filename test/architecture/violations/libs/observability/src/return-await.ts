export async function careful(work: () => Promise<string>): Promise<string> {
  try {
    return work();
  } catch (cause) {
    throw new Error('that did not work', { cause });
  }
}

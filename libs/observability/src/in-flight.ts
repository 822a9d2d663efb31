/** What is under way, by name: whoever asks for the same meanwhile gets the same answer, or hears of the same trouble. Nothing is kept of what has ended. */
export class InFlight<T> {
  private readonly all = new Map<string, Promise<T>>();

  /** What is under way of that name; else it begins. @throws what it does */
  share(name: string, begin: () => Promise<T>): Promise<T> {
    const known = this.all.get(name);
    if (known) return known;
    const begun = begin().finally(() => this.all.delete(name));
    this.all.set(name, begun);
    return begun;
  }
}

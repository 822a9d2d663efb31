declare const expect: (ms: number) => { toBeLessThan(other: number): void };

export const measures = (since: number) => expect(Date.now() - since).toBeLessThan(500);

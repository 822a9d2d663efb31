declare const eventually: (attempt: () => boolean, withinMs: number) => Promise<void>;

export const waits = () => eventually(() => true, 5_000);

export const anything: any[] = [];

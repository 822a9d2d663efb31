/** What keeps somebody from their dead letters, in words for whoever asked. */
export class Trouble extends Error {}

/** What keeps a tool from its work, in words for who runs it. */
export class Trouble extends Error {}

/** The tool was asked for something that makes no sense: exit code 2. */
export class WrongUsage extends Error {}

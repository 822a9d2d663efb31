/** The tool was asked for something that makes no sense: exit code 2. */
export class WrongUsage extends Error {}

/** Text as a page shows it, in elements and in quoted attributes. */
export function safe(text: string): string {
  return text.replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);
}

import { phrases, type Phrase } from '../phrase.js';

/** Which assistant of an organisation serves it. */
export type Field = 'billing' | 'technical' | 'sales' | 'service';

/** What people write to support about. */
export interface Subject {
  field: Field;
  tags: readonly string[];
  /** How grave it is: 0 asks, 1 disturbs, 2 hurts, 3 burns. */
  weight: number;
  /** A title goes with the problem at the same place. */
  titles: readonly Phrase[];
  /** What the customer says first. */
  problems: readonly Phrase[];
  /** What the customer says beside that. */
  details: readonly Phrase[];
  /** What the team finds out. */
  causes: readonly Phrase[];
  /** What is told to the customer in the end. */
  fixes: readonly Phrase[];
}

/** A line of business: what its customers ask, the most frequent first, and what it sells. */
export interface Industry {
  subjects: readonly Subject[];
  goods: readonly string[];
  /** Share of its goods that are called by a brand. */
  branded: number;
  departments: readonly string[];
}

/**
 * A subject written as two texts: its field, weight and tags; and its phrases, one a line, each behind the first letter of its part (title,
 * problem, detail, cause, fix).
 */
export function subject(head: string, text: string): Subject {
  const [field, weight, ...tags] = head.split(' ');
  const lines = text.split('\n').map((line) => line.trim());
  const part = (letter: string) => phrases(lines.filter((line) => line.startsWith(`${letter} `)).map((line) => line.slice(2)).join('\n'));
  return { field: field as Field, weight: Number(weight), tags, titles: part('t'), problems: part('p'), details: part('d'), causes: part('c'), fixes: part('f') };
}

import { z } from 'zod';
import { openDeadlineStates } from './deadlines.js';
import { anyOf, bound, singleText } from './parameters.js';
import { PersonId, Slug, text } from './text.js';
import { Priority } from './ticket.js';

const searchHelp =
  'Words in title, description, comments, replies, conversation, tags, requester, number or id; in notes for those who may read them. Every word must match, the last one as a prefix; case and accents do not matter.';

/** `me`, `none`, a member's id, or `agent:<id>`. */
const AssigneeFilter = PersonId;

/** Filters that list, counts and export share; those that go by status have another one. `createdTo` and `updatedTo` are exclusive once parsed. */
export const filters = {
  priority: anyOf(Priority).optional(),
  assignee: anyOf(AssigneeFilter).optional().meta({ description: "A member's id, `agent:<id>`, `me`, or `none`." }),
  assistantId: anyOf(Slug).optional(),
  tag: anyOf(text(50, 1)).optional(),
  requester: anyOf(text(255, 1)).optional().meta({ description: "The requester's id or e-mail address." }),
  deadline: anyOf(z.enum(openDeadlineStates)).optional().meta({ description: 'One of the ticket’s deadlines stands so, and something is still to be done for it.' }),
  createdFrom: bound('00').optional().meta({ description: 'Inclusive; a bare date counts from its first moment (UTC).' }),
  createdTo: bound('24').optional().meta({ description: 'An instant is exclusive; a bare date counts whole (UTC).' }),
  updatedFrom: bound('00').optional().meta({ description: 'Inclusive; a bare date counts from its first moment (UTC).' }),
  updatedTo: bound('24').optional().meta({ description: 'An instant is exclusive; a bare date counts whole (UTC).' }),
  q: singleText(2_000).optional().meta({ description: searchHelp }),
};

interface Ranges {
  createdFrom?: string | undefined;
  createdTo?: string | undefined;
  updatedFrom?: string | undefined;
  updatedTo?: string | undefined;
}

/** A range does not end before it begins. */
export const inOrder = ({ value, issues }: { value: Ranges; issues: z.core.$ZodRawIssue[] }) => {
  for (const [from, to] of [['createdFrom', 'createdTo'], ['updatedFrom', 'updatedTo']] as const) {
    const [start, end] = [value[from], value[to]];
    if (start === undefined || end === undefined || start <= end) continue;
    issues.push({ code: 'custom', path: [from], message: `must not lie after ${to}`, input: start, params: { code: 'out_of_order' } });
  }
};

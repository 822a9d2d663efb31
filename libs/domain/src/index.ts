export { allowedTransitions, is, lacks, mayFileUnder, sees, sightOf, type Action, type Asker, type Sight } from './access.policy.js';
export { completedCreate, markedAssistant, resolvedAssignee, withIds, type AtDoor } from './completion.policy.js';
export { Rejection } from './rejection.js';
export { Roster } from './roster.js';
export { decide } from './ticket.js';
export { evolve, initial, type Circumstances, type ExistingTicket, type TicketState } from './ticket.state.js';
export { transitions } from './transitions.js';

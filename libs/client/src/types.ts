import type * as contracts from '#contracts';

/**
 * What goes out and what comes back, as the contracts have it. This is the only file that knows them, and it knows types only: the package is built
 * with these types written out, so that it needs nothing else.
 */

/** A ticket as the caller sees it, with the moves that the caller may make now. */
export type Ticket = contracts.TicketAnswer;
/** A ticket in a list: a snippet instead of the description. */
export type TicketItem = contracts.TicketItem;
/** What became of the deadlines of a ticket, as streams tell it. */
export type DeadlineTold = contracts.DeadlineTold;
export type TicketList = contracts.TicketList;
export type TicketCounts = contracts.TicketCounts;
export type Transitions = contracts.Transitions;
export type Status = contracts.Status;
export type Comment = contracts.Comment;
export type Message = contracts.Message;

type Told = contracts.TimelineItem;
type Shown = Extract<Told, { data: unknown }>;
/** One event of a ticket: its `type` tells what is in `data`. Who may not read notes gets a hidden one in a note's place. */
export type TimelineItem =
  | { [T in contracts.ShortEventType]: { [K in keyof Shown]: K extends 'type' ? T : K extends 'data' ? contracts.EventData<`ticket.${T}.v1`> : Shown[K] } }[contracts.ShortEventType]
  | Exclude<Told, Shown>;

/** Answers of the writes that make more than a ticket. */
export type CommentAnswer = contracts.CommentAnswer;
export type MessagesAnswer = contracts.MessagesAnswer;
export type ToolCallAnswer = contracts.ToolCallAnswer;

export type CommandStatus = contracts.CommandStatus;
export type Me = contracts.Me;
export type Member = contracts.Member;
export type Assistant = contracts.Assistant;
export type Availability = contracts.Availability;
export type Stats = contracts.Stats;
export type ApiKey = contracts.ApiKey;
/** A new API key; a repeat under the same key comes without the secret. */
export type CreatedApiKey = contracts.CreatedApiKey;
/** An outside system, with its topics. */
export type Producer = contracts.RegisteredProducer;
export type DeadLetter = contracts.DeadLetterView;
export type DeadLetterWhole = contracts.DeadLetterWhole;
export type ProblemName = contracts.ProblemName;
export type ValidationError = contracts.ValidationError;

/** Bodies of the writes. */
export type NewTicket = contracts.BodyInput<'create'>;
export type TicketPatch = contracts.BodyInput<'patch'>;
export type Move = contracts.BodyInput<'transition'>;
export type AssigneeInput = contracts.BodyInput<'assignee'>;
export type MessageInput = contracts.BodyInput<'conversation'>['messages'][number];
export type ToolCall = contracts.BodyInput<'toolCall'>;
export type NewApiKey = contracts.NewApiKey;
export type AssistantInput = contracts.AssistantInput;
export type NewProducer = contracts.NewProducerInput;
export type ProducerGrant = contracts.ProducerGrantInput;

/** Queries: what is a list at the door may be given as one value, and everything may be left out. */
type Given<T> = T extends readonly (infer Item)[] ? Item | readonly Item[] : T;
type QueryOf<T> = { [K in keyof T]?: Given<NonNullable<T[K]>> | undefined };
export type ListQuery = QueryOf<contracts.ListQuery>;
export type CountsQuery = QueryOf<contracts.CountsQuery>;
export type TicketQuery = QueryOf<contracts.TicketQuery>;
export type PageQuery = QueryOf<contracts.PageQuery>;
/** `type` is short, like `status-changed`. */
export type TimelineQuery = QueryOf<contracts.PageQuery & { type: contracts.ShortEventType[] }>;
export type StatsQuery = QueryOf<contracts.StatsQuery>;

/** What outside systems publish, `type` as in `create` or `change-status`, and what they are told. */
export type InboundRecord = {
  [T in contracts.CommandType]: { type: Verb<T>; data: contracts.InboundInput<T> } & { [K in keyof contracts.InboundValue as K extends 'data' ? never : K]: contracts.InboundValue[K] };
}[contracts.CommandType];
export type InboundResult = contracts.InboundResult;
/** What an outside system is told of an event: its `type` tells what is in `data`. */
export type OutboundEvent = {
  [T in contracts.ShortEventType]: { [K in keyof contracts.OutboundEvent]: K extends 'type' ? T : K extends 'data' ? contracts.EventData<`ticket.${T}.v1`> : K extends 'ticket' ? OutboundTicket : contracts.OutboundEvent[K] };
}[contracts.ShortEventType];
/** A ticket after an event, as outside systems are told it. */
export type OutboundTicket = { [K in keyof contracts.Ticket]: contracts.Ticket[K] };
type Verb<T> = T extends `ticket.${infer V}.v1` ? V : never;

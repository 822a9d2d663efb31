import { v5 } from 'uuid';
import type { CommandData, CommandType, Priority, Principal, TicketCommand } from '#contracts';
import { atWork } from './calendar.js';
import type { Facts } from './facts.js';
import type { SeedAssistant, SeedOrganisation, Worker } from './organisations.js';
import type { Customer } from './people.js';
import type { Random } from './random.js';
import type { Story } from './story.js';
import type { Subject } from './texts/subject.js';

/** What the course of a case depends on. */
export interface CourseParts {
  random: Random;
  facts: Facts;
  story: Story;
  subject: Subject;
  assistant: SeedAssistant;
  worker: Worker;
  customer: Customer;
  organisation: SeedOrganisation;
  seed: number;
  index: number;
  ticketId: string;
  /** When it was opened, ms since the epoch. */
  opened: number;
  /** How long ago that is, ms: what would come later has not happened yet. */
  age: number;
  end: number;
}

type Actor = Principal['actor'];
type Channel = TicketCommand['channel'];

const commandNamespace = 'f2b7c1d4-0a93-4e68-a5d1-7c9e3b6f8a24';
const minuteMs = 60_000;
const hourMs = 60 * minuteMs;
const dayMs = 24 * hourMs;
/** Comments, notes and replies of a case at most. */
const mostComments = 8;
/** As an administrator's door would give it: whoever the story says it was may do it. */
const access = { role: 'admin' as const, assistantIds: [] };

const mail: Actor = { type: 'system', id: 'mail', name: 'E-mail' };
const crm: Actor = { type: 'system', id: 'crm', name: 'CRM' };
const rules: Actor = { type: 'system', id: 'assignment', name: 'Assignment rules' };
const priorities: readonly Priority[] = ['low', 'normal', 'high', 'urgent'];
const tools = ['lookup_order', 'find_customer', 'payment_status', 'service_status', 'search_articles', 'contract_details'];
const models = ['assist-large', 'assist-small'];
const usualDoor = { member: 'console', agent: 'agent', system: 'kafka' } as const;
const extraTags = ['vip', 'waiting', 'phone', 'complaint', 'bug', 'documentation', 'escalated', 'second-level', 'legal', 'feedback'];

/** What happens to one case, step by step. Steps later than its age are left out, and so is everything after them. */
export class Course {
  readonly #commands: TicketCommand[] = [];
  readonly #agent: Actor;
  readonly #worker: Actor;
  #elapsed = 0;
  #last: number;
  #isOver = false;
  #messages = 0;
  #comments = 0;
  #priority: Priority = 'normal';
  #tags: string[] = [];
  #channel: Channel = 'console';

  constructor(private readonly parts: CourseParts) {
    const { assistant, worker, opened } = parts;
    this.#agent = { type: 'agent', id: assistant.id, name: assistant.name };
    this.#worker = worker;
    this.#last = opened;
  }

  /** @param followUpOf id of the ticket that this one goes on with */
  run(followUpOf?: string): TicketCommand[] {
    const { random } = this.parts;
    this.#open(followUpOf);
    if (random.chance(0.004)) {
      this.#step('ticket.delete.v1', { reason: this.parts.story.deletion() }, { by: this.#worker, after: random.around(5 * hourMs, 1) });
      return this.#commands;
    }
    this.#goOnTalking();
    this.#assign();
    if (random.chance(0.03)) return this.#commands; // forgotten
    this.#work();
    this.#finish();
    return this.#commands;
  }

  #open(followUpOf?: string) {
    const { random, subject, assistant, customer, story, seed, index } = this.parts;
    const [channel, by] = this.#door();
    this.#channel = channel;
    const isChat = channel === 'agent';
    this.#priority = this.#firstPriority();
    this.#tags = [...subject.tags.slice(0, random.whole(1, subject.tags.length)), ...(random.chance(0.1) ? [random.pick(extraTags)] : [])];
    const data: CommandData<'ticket.create.v1'> = {
      title: story.title(),
      ...(isChat ? this.#fromChat() : { description: story.letter(this.#length(56)) }),
      priority: this.#priority,
      assistantId: isChat || random.chance(0.94) ? assistant.id : null,
      requester: { id: customer.id, name: customer.name, email: customer.email },
      tags: this.#tags,
      customFields: this.#fields(),
      ...(channel === 'kafka' && { externalId: `CRM-${seed}-${index}` }),
      ...(followUpOf !== undefined && { followUpOf }),
    };
    this.#step('ticket.create.v1', data, { by, after: 0 });
  }

  /** Words of a description. */
  #length(median: number): number {
    return Math.max(20, Math.min(200, Math.round(this.parts.random.around(median, 0.5))));
  }

  #fromChat() {
    const messages = this.#chat();
    return { description: this.parts.story.summary(this.#length(44)), conversation: { messages } };
  }

  #door(): [Channel, Actor] {
    const { random } = this.parts;
    return random.weighted<[Channel, Actor]>([
      [['agent', this.#agent], 33],
      [['email', mail], 30],
      [['console', this.#worker], 15],
      [['api', this.#worker], 14],
      [['kafka', crm], 8],
    ]);
  }

  #firstPriority(): Priority {
    const { random, subject } = this.parts;
    const chosen = Math.round(subject.weight * 0.8 + random.next() * 1.4 - 0.1);
    return priorities[Math.max(0, Math.min(3, chosen))]!;
  }

  #fields(): CommandData<'ticket.create.v1'>['customFields'] {
    const { random, subject, facts } = this.parts;
    if (!random.chance(0.55)) return {};
    if (subject.field === 'billing') return { invoice: facts.get('invoice'), amount: Number(facts.get('amount').slice(1)) };
    if (subject.field === 'technical') return { device: facts.get('device'), version: facts.get('version') };
    return subject.field === 'sales' ? { seats: Number(facts.get('count')), plan: random.pick(['basic', 'team', 'business', 'enterprise']) } : { order: facts.get('order') };
  }

  /** The chat before the ticket, at most half an hour of it. */
  #chat() {
    const { random, story, opened, customer } = this.parts;
    const said = story.chat(Math.max(2, Math.min(12, Math.round(random.around(5, 0.5)))));
    this.#messages = said.length;
    const gap = Math.min(30 * minuteMs, said.length * 90_000) / said.length;
    const timeOf = (index: number) => new Date(Math.round(opened - (said.length - index) * gap + random.next() * gap * 0.8)).toISOString();
    return said.map(({ role, content }, index) => ({ id: `m${index + 1}`, role, content, at: timeOf(index), ...(role === 'user' && { name: customer.first }) }));
  }

  /** After the hand-over the customer sometimes writes again, and the assistant looks things up. */
  #goOnTalking() {
    const { random, story, customer } = this.parts;
    if (this.#channel !== 'agent') return;
    if (random.chance(0.35)) this.#lookUp();
    if (!random.chance(0.25) || this.#messages > 10) return;
    const texts = [{ role: 'user' as const, content: story.answer(), name: customer.first }, { role: 'assistant' as const, content: 'Thank you, I have added that to your ticket.' }];
    const messages = texts.map((text, index) => ({ id: `m${this.#messages + index + 1}`, ...text }));
    this.#step('ticket.append-conversation.v1', { messages }, { by: this.#agent, after: random.around(20 * minuteMs, 0.8) });
  }

  #lookUp() {
    const { random, facts } = this.parts;
    const isOk = random.chance(0.9);
    const data: CommandData<'ticket.record-tool-call.v1'> = {
      tool: random.pick(tools),
      arguments: { order: facts.get('order'), email: facts.get('email') },
      status: isOk ? 'ok' : 'error',
      result: isOk ? { state: facts.get('code'), updated: facts.get('date'), amount: facts.get('price') } : { message: 'timeout' },
      durationMs: Math.round(random.around(420, 0.9)),
      model: random.pick(models),
    };
    this.#step('ticket.record-tool-call.v1', data, { by: this.#agent, after: random.around(8_000, 0.5) });
  }

  #assign() {
    const { random, assistant, worker } = this.parts;
    if (!random.chance(0.78)) return;
    const reason = random.weighted<'manual' | 'self' | 'rule'>([['manual', 30], ['self', 30], ['rule', 40]]); // prettier-ignore
    if (reason === 'rule') {
      const explanation = { rule: `tickets of ${assistant.id}`, open: random.whole(0, 12) };
      return this.#step('ticket.assign.v1', { to: worker, reason, explanation }, { by: rules, after: random.around(3_000, 0.5) });
    }
    const by = reason === 'self' ? worker : random.pick(assistant.team);
    this.#step('ticket.assign.v1', { to: worker, reason }, { by, after: random.around(50 * minuteMs, 1), office: true });
  }

  #work() {
    const { random } = this.parts;
    this.#move('pending', random.chance(0.15) ? this.parts.story.comment() : undefined, random.around(2 * hourMs, 1));
    for (let left = Math.min(6, Math.floor(random.around(1.3, 0.9))); left > 0; left--) this.#talk();
    if (random.chance(0.09)) this.#correct();
  }

  /** A reply, a comment or a note. */
  #talk() {
    const { random, story, assistant } = this.parts;
    const by = random.chance(0.8) ? this.#worker : random.chance(0.4) ? this.#agent : random.pick(assistant.team);
    const after = random.around(5 * hourMs, 1.2);
    const kind = random.weighted<'reply' | 'comment' | 'note'>([['reply', 45], ['comment', 33], ['note', 22]]); // prettier-ignore
    if (kind === 'reply') return this.#reply(story.reply(), after);
    const body = kind === 'note' ? story.note() : story.comment();
    this.#step('ticket.add-comment.v1', { kind, body }, { by, after, office: by.type === 'member' });
  }

  #reply(body: string, after: number) {
    const { random } = this.parts;
    if (this.#comments === mostComments) return;
    this.#step('ticket.add-comment.v1', { kind: 'reply', body }, { by: this.#worker, after, office: true });
    const commentId = this.#commands.at(-1)!.commandId;
    if (this.#isOver || !random.chance(0.4)) return;
    const state = random.chance(0.96) ? 'delivered' : 'failed';
    const data = { commentId, state, channel: 'email', ...(state === 'failed' && { detail: '550 mailbox unavailable' }) } as const;
    this.#step('ticket.report-reply-delivery.v1', data, { by: mail, after: random.around(6_000, 0.7) });
  }

  /** Somebody sets something right: how urgent it is, or what it is about. */
  #correct() {
    const { random } = this.parts;
    const another = random.pick(priorities.filter((priority) => priority !== this.#priority));
    const data = random.chance(0.6) ? { priority: another } : { tags: [...this.#tags, random.pick(extraTags.filter((tag) => !this.#tags.includes(tag)))] };
    this.#step('ticket.update-details.v1', data, { by: this.#worker, after: random.around(hourMs, 1), office: true });
  }

  #finish() {
    const { random, story } = this.parts;
    if (random.chance(0.04)) return; // stuck
    if (random.chance(0.6)) this.#reply(story.solution(), random.around(20 * hourMs, 1.1));
    this.#move('resolved', random.chance(0.5) ? story.outcome() : undefined, random.around(8 * hourMs, 1.3));
    if (random.chance(0.07)) this.#reopen();
    if (random.chance(0.93)) this.#move('closed', random.chance(0.12) ? story.closing() : undefined, random.around(6 * dayMs, 0.5));
  }

  #reopen() {
    const { random, story } = this.parts;
    const comment = this.#comments < mostComments ? { comment: story.reopening() } : {};
    this.#step('ticket.change-status.v1', { to: 'open', ...comment }, { by: mail, after: random.around(1.5 * dayMs, 0.8) });
    this.#move('pending', undefined, random.around(4 * hourMs, 1));
    if (random.chance(0.5)) this.#reply(story.solution(), random.around(9 * hourMs, 1));
    this.#move('resolved', undefined, random.around(dayMs, 1));
  }

  #move(to: CommandData<'ticket.change-status.v1'>['to'], comment: string | undefined, after: number) {
    const isSilent = comment === undefined || this.#comments === mostComments;
    this.#step('ticket.change-status.v1', isSilent ? { to } : { to, comment }, { by: this.#worker, after, office: true });
  }

  /** The next command, `after` ms later or, where somebody must be at work for it, in the next office hours. */
  #step<T extends CommandType>(type: T, data: CommandData<T>, { by, after, office = false }: { by: Actor; after: number; office?: boolean }) {
    const { organisation, ticketId, age } = this.parts;
    this.#elapsed += after;
    this.#isOver ||= this.#elapsed > age;
    if (this.#isOver) return;
    if ('body' in data || 'comment' in data) this.#comments++;
    const commandId = v5(`${ticketId}/${this.#commands.length}`, commandNamespace);
    const channel = this.#commands.length === 0 ? this.#channel : usualDoor[by.type];
    const at = this.#timeOf(office);
    this.#commands.push({ type, commandId, orgId: organisation.id, ticketId, actor: by, access, channel, payloadHash: commandId, at, data } as TicketCommand);
  }

  /** Not before the step before it; people need some minutes for each. */
  #timeOf(office: boolean): string {
    const { random, opened, end } = this.parts;
    const wanted = opened + this.#elapsed;
    const due = office ? atWork(wanted, random.next()) : wanted;
    const gap = (1 + 14 * random.next()) * (office ? minuteMs : 1_000);
    this.#last = this.#commands.length === 0 ? opened : Math.min(end, Math.round(Math.max(due, this.#last + gap)));
    return new Date(this.#last).toISOString();
  }
}

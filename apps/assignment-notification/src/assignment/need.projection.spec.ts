import { describe, expect, it } from '@jest/globals';
import type { Assignee, Status, Ticket, TicketEvent } from '#contracts';
import { course } from '../../testing/course.js';
import { trackedAfter, type Tracked } from './need.projection.js';

const after = (...events: TicketEvent[]) => events.reduce<Tracked | undefined>((before, event) => trackedAfter(before, event) ?? before, undefined)!;
const grace: Assignee = { type: 'member', id: 'grace', name: 'Grace' };

describe('a need', () => {
  it('begins with a ticket that nobody has', () => expect(after(...course().created().events)).toMatchObject({ version: 1, isWork: true, need: { version: 1, holder: null, former: null } }));
  it('is none where somebody has it', () => expect(after(...course().created({ assignee: grace }).events).need).toBeNull());
  it('ends when somebody takes it', () => expect(after(...course().created().assigned(grace).events)).toMatchObject({ assignee: grace, need: null }));
  it('is the same whatever else happens', () => expect(after(...course().created().edited({ tags: ['x'] }).moved('pending').events)).toMatchObject({ version: 3, facts: { tags: ['x'] }, need: { version: 1 } }));
  it('begins again when it is given back, and not for who did', () => expect(after(...course().created({ assignee: grace }).assigned(null).events).need).toMatchObject({ version: 2, former: 'member:grace' }));

  it.each<Status>(['resolved', 'closed'])('is none of a ticket that is %s', (status) => {
    expect(after(...course().created().moved('pending').moved(status).events)).toMatchObject({ isWork: false, need: null });
  });

  it('begins again when a ticket is reopened or restored', () => {
    expect(after(...course().created().moved('pending').moved('resolved').moved('open').events).need).toMatchObject({ version: 4, holder: null });
    expect(after(...course().created().deleted().events)).toMatchObject({ isWork: false, need: null });
    expect(after(...course().created().deleted().restored().events).need).toMatchObject({ version: 3 });
  });

  it('of a reopened ticket that somebody had is to be looked at: they may be away', () => {
    const reopened = course().created({ assignee: grace }).moved('pending').moved('resolved').moved('open');
    expect(after(...reopened.events).need).toMatchObject({ version: 4, holder: grace, former: 'member:grace' });
    expect(after(...reopened.edited({ tags: ['x'] }).events).need).toMatchObject({ version: 4 });
    expect(after(...reopened.assigned({ ...grace, id: 'linus' }).events).need).toBeNull();
  });

  it('is not changed by events that come late or again', () => {
    const [created, assigned] = course().created().assigned(grace).events as [TicketEvent, TicketEvent];
    for (const late of [created, assigned]) expect(trackedAfter(after(created, assigned), late)).toBeUndefined();
  });

  it('begins anew when it is given back, also where nobody told that it was taken', () => {
    const [created, , released] = course().created().assigned(grace).assigned(null).events as [TicketEvent, TicketEvent, TicketEvent];
    expect(after(created, released).need).toMatchObject({ version: 3, former: 'member:grace' });
  });

  it('is told by a requester’s domain', () => {
    const of = (requester: Ticket['requester']) => after(...course().created({ requester }).events).facts.requesterDomain;
    expect([of({ email: 'Rita@Mail.Example.org' }), of({ name: 'Rita' }), of(null)]).toEqual(['mail.example.org', null, null]);
  });
});

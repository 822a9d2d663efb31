import { subject, type Industry } from './subject.js';

/** Flights, hotels and holidays. */
export const travel: Industry = {
  goods: 'city trip|flight|package holiday|rental car|cruise|hotel room|train ticket|ferry crossing|round trip|ski week|beach holiday|guided tour'.split('|'),
  branded: 0,
  departments: ['Reservations', 'Airline desk', 'Hotel partners', 'Claims'],
  subjects: [
    subject('service 2 flight cancellation', `
      t Flight {flight} cancelled
      t Missed connection because of {flight}
      t Stranded at the airport, booking {booking}
      p My flight {flight} to {city} on {date} was [cancelled|moved|delayed by {count} hours].
      p Because {flight} was late we missed the connection and had to stay overnight.
      p I am standing at the airport and nobody knows anything about booking {booking}.
      d We are two adults and {days} children.
      d The airline sends us to you, and you send us to the airline.
      d The hotel in {city} is paid and cannot be cancelled any more.
      d I have kept all receipts, {amount} altogether.
      c The airline changed the schedule on {date}; the notice went to the partner's address.
      c Seats are left on the flight at {time}, same fare class.
      f You are booked on the flight at {time}; the new tickets are in your mailbox.
      f The airline accepts the claim and pays {amount}.
    `),
    subject('service 1 booking change', `
      t Change booking {booking}
      t Wrong name on ticket {booking}
      t Move journey to {month}
      p I have to change booking {booking} to {later}.
      p There is a spelling mistake in the name on the ticket: it should be {full}.
      p Can we move the {product} to {month} because of illness?
      d The doctor's certificate is attached.
      d The website only offers to cancel everything.
      d I noticed it minutes after the booking.
      c The fare allows a correction of up to three letters without charge.
      f The name on booking {booking} is corrected.
      f Your {product} now begins on {later}; the difference of {price} will be charged.
    `),
    subject('billing 2 refund cancellation', `
      t Refund for booking {booking}
      t Cancellation fee of {price}
      t Voucher instead of money
      p I cancelled booking {booking} in {month} and still wait for {amount}.
      p You keep {price} as a fee, although the airline cancelled the flight.
      p Instead of money I got a voucher that I do not want.
      d I have written {count} e-mails so far.
      d The insurance wants a confirmation from you.
      d I paid with the card ending in {last4}.
      c The hotel agrees to pay back in full; the airline keeps the taxes until {later}.
      f {amount} are on their way to your card.
      f Here is the confirmation for your insurance; it names the fee of {price}.
    `),
    subject('service 2 hotel complaint', `
      t Complaint about {hotel}
      t {hotel} does not know our booking
      t Pool of {hotel} closed
      p The room at {hotel} in {city} was [dirty|far too loud|not the one we had booked].
      p At {hotel} nobody knew anything about our booking {booking}.
      p The pool and the restaurant of {hotel} were closed during our whole stay.
      d We complained at the reception on the first evening.
      d There was a building site right below the window.
      d The photographs on your page must be many years old.
      d We paid {amount} for {days} nights.
      c The hotel confirms works until {later}; it should have been on the page.
      c Overbooked: {hotel} sold {count} rooms too many.
      f The hotel pays back {price}, and we add a voucher for your next journey.
      f We have moved you to another hotel in {street}; the taxi is paid.
    `),
    subject('service 1 luggage', `
      t Suitcase did not arrive in {city}
      t Luggage damaged on {flight}
      t Extra luggage for {flight}
      p My suitcase did not arrive in {city} with flight {flight}.
      p A wheel of my suitcase was broken after flight {flight}.
      p How can I add another suitcase to booking {booking}?
      d The report of the airport has the number {tracking}.
      d My medicine is in it.
      d It is a dark green one with a yellow ribbon.
      c The tracing system shows it in {city} since {day}, tag {tracking}.
      f Your suitcase comes to {street} on {day}.
      f The airline pays {price} for the damage.
    `),
    subject('technical 1 app check-in', `
      t Cannot check in online
      t App shows no tickets
      t Page stops at the payment
      p Online check-in for booking {booking} ends with {code}.
      p The app (version {version}) does not show my tickets for {city}.
      p The page stops at the payment, and now I am not sure whether I booked twice.
      d The journey begins tomorrow at {time}.
      d I tried it with {browser} and on my {device}.
      d No confirmation has come to {email}.
      c The airline's code and ours got out of step after the change of schedule.
      f The check-in is open now, your boarding passes are in the app.
      f You booked once only; the confirmation has been sent again.
    `),
    subject('sales 0 question visa', `
      t Do I need a visa for {city}?
      t Group journey for {count} people
      t Taking a dog along
      p Do we need a visa for the {product} to {city}?
      p We are a group of {count} people and look for a {product} in {month}.
      p Is it possible to take a dog on the {product}?
      d One of us uses a wheelchair.
      d We would like to have adjoining rooms.
      d Our budget is around {amount}.
      c Group fare from ten people on, option until {later}.
      f No visa is needed for a stay of up to {count} days.
      f The offer for your group is in your mailbox and valid until {later}.
    `),
    subject('billing 1 payment invoice', `
      t Final payment for {booking}
      t Invoice for our journey to {city}
      t Charged {amount} without a booking
      p I have paid the deposit for {booking}, when is the rest due?
      p I need an invoice for booking {booking}, made out to {company}.
      p {amount} were taken from my card, but there is no booking.
      d In the app the state is "waiting for payment".
      d The last four digits of the card are {last4}.
      c The reservation expired {count} minutes before the payment came.
      f The rest of {price} is due {days} days before you leave.
      f The payment of {amount} has been cancelled; nothing was booked.
    `),
  ],
};

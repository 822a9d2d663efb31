import { subject, type Industry } from './subject.js';

/** An online shop. */
export const shop: Industry = {
  goods: 'desk lamp|kettle|office chair|headphones|coffee grinder|backpack|running shoes|blender|bookshelf|camera|bicycle pump|duvet|rain jacket|keyboard|toaster|garden hose|rug|tent|vacuum cleaner|watch|sofa|printer|mixer|suitcase|mirror|speaker|drill|frying pan'.split('|'),
  branded: 0.65,
  departments: ['Logistics', 'Warehouse', 'Returns', 'Accounting', 'Purchasing'],
  subjects: [
    subject('service 1 delivery late', `
      t Order {order} has not arrived
      t Where is my parcel? Order {order}
      t {product} still not delivered after {days} days
      t Delivery of {order} is late
      p [My|Our] order {order} was promised for {day} and has still not arrived.
      p I ordered a {product} {days} days ago and [nothing has come|the parcel is nowhere to be seen].
      p The tracking page for {tracking} has not changed since {day}.
      p [Can you tell me where|I would like to know where] order {order} is? The delivery date was {date}.
      d The tracking number is {tracking}, and it only says that the parcel was handed over to the carrier in {city}.
      d The carrier's hotline told me that they never received the parcel.
      d Nobody rang the bell and there was no card in the letter box, although I was at home all day.
      d The address is {street} in {city}, the same one as for all my earlier orders.
      d It is a birthday present, so it has to be here by {day}.
      c The parcel was scanned in {city} on {day} and not again; the carrier has opened a search.
      c The warehouse shipped {order} in two parcels and only one label was printed.
      c The carrier confirms that the van broke down; everything for {city} is {days} days late.
      f Your parcel has been found in the depot in {city} and will be delivered on {day}.
      f We have sent a replacement for the {product} today. The new tracking number is {tracking}.
    `),
    subject('service 1 return', `
      t Return of {product}, order {order}
      t I want to send the {product} back
      t No return label for order {order}
      p I would like to return the {product} from order {order}[, because it does not fit| because it is not what I expected|].
      p I sent the {product} back {days} days ago and [have heard nothing since|nobody has confirmed it].
      p The return portal does not let me print a label for order {order}.
      d It is unused and still in the original box, with all papers.
      d The parcel shop in {city} gave me a receipt with the number {tracking}.
      d The page says that the return period has ended, but the parcel came only on {day}.
      d I would rather have a voucher than the money, if that is quicker.
      c The return is booked in the warehouse as unknown sender: the slip inside was missing.
      c The portal counts the period from the order and not from the delivery; that is a known mistake.
      f The return label is on its way to {email}. Please use it within {days} days.
      f We have received the {product} and booked {amount} back to your account.
    `),
    subject('billing 2 refund', `
      t Refund for order {order} is missing
      t Still waiting for {amount}
      t Refund not received, return {tracking}
      p You confirmed the refund of {amount} for order {order} on {date}, but [it is not on my account|the money has not come].
      p I am still waiting for my money for the {product} that I returned in {month}.
      p Only {price} of {amount} was paid back for order {order}.
      d I paid with the card ending in {last4}, which has since been replaced.
      d My bank in {city} says that nothing has been announced from your side.
      d According to your e-mail it would take at most {days} days.
      d The return was confirmed with the number {tracking}.
      c The refund bounced: the card ending in {last4} no longer exists. It needs the bank details of the customer.
      c Accounting held the refund back because the amount differs from the credit note by {price}.
      f We have transferred {amount} to the account you named; it arrives within {days} working days.
      f The missing {price} have been booked today. Please excuse the wait.
    `),
    subject('service 2 damaged quality', `
      t {product} arrived broken
      t The {product} has a fault
      t Part of the {product} is missing
      p The {product} from order {order} [arrived broken|came with a crack|was damaged when I opened the box].
      p My {product} stopped working after {days} days.
      p One part of the {product} is missing from the box.
      d The box was wet and torn on one side; I have taken photographs.
      d It makes a grinding noise and smells of hot plastic after a few minutes.
      d The screws for the left side were not in the bag, number {code} in the manual.
      d The driver told me to accept it and complain later.
      d I had looked forward to it for weeks and am rather disappointed.
      c Photographs show a fall from some height; the carrier takes the damage.
      c Batch {code} of the {product} has the same fault; purchasing has told the supplier.
      f A new {product} leaves our warehouse today, and you may keep the broken one.
      f The missing part has been sent to {street}, {city}. It should be there by {day}.
    `),
    subject('billing 1 payment checkout', `
      t Payment declined at checkout
      t Charged twice for order {order}
      t Paid or not? Order {order}
      p The checkout [refuses|does not accept] my card ending in {last4}.
      p I was charged twice for order {order}: {amount} on {day} and again on the next day.
      p After I entered the code from my bank the page stayed empty, and now I do not know whether I have paid {amount}.
      d Other shops accept the same card without any trouble.
      d The message was "payment could not be processed ({code})".
      d I tried it with {browser} and on my {device}, with the same result.
      d The basket was empty afterwards and I have no confirmation.
      c The bank's confirmation came after our time limit; the shop took the payment and lost the basket.
      c Two authorisations for {amount}, one of them was never captured and falls away within {days} days.
      f The second charge of {amount} was only reserved and has been released.
      f Your payment has arrived and order {order} is being packed.
    `),
    subject('billing 0 voucher', `
      t Voucher code {code} does not work
      t Discount was not taken off
      t Gift card cannot be used
      p The voucher code {code} is not accepted[, although it is valid until {later}|].
      p The discount of {price} was shown in the basket but not on invoice {invoice}.
      p I got a gift card for {amount} and the shop says that it was used already.
      d It was in the newsletter that I received on {day}.
      d There is no lower limit mentioned anywhere in the conditions.
      d My wife tried the same code from her own account and it worked.
      c The code {code} was limited to new customers, the newsletter did not say so.
      c The gift card was used on {date} by another account in {city}; that needs a check by accounting.
      f We have taken {price} off invoice {invoice}; the corrected one is in your account.
      f Here is a new code for you: {code}. It works for everything until {later}.
    `),
    subject('service 0 order-change', `
      t Wrong address on order {order}
      t Cancel order {order}
      t Please change order {order}
      p Please send order {order} to another address: {street}, {city}.
      p I would like to cancel order {order}[, I ordered it twice by mistake|; I do not need it any more|].
      p Can you add a {other} to order {order} before it is sent?
      d I noticed the mistake only when the confirmation came.
      d The colour should be dark blue and not black.
      d In my account the button for changes is grey.
      c The order is in picking since {time}; it can only be stopped by hand in the warehouse.
      f The address of order {order} is changed to {street}, {city}.
      f Order {order} is cancelled. You will not be charged.
    `),
    subject('technical 1 account sign-in', `
      t Cannot sign in to my account
      t Password link never arrives
      t Account locked
      p I cannot sign in any more: [the page says that my password is wrong|it always comes back to the first page].
      p The e-mail for a new password never arrives at {email}.
      p My account has been locked and I do not know why.
      d There is nothing in the junk folder either.
      d I have used the same password for {count} months.
      d It happens in {browser} as well as in the app, version {version}.
      d My points and my whole order history are in that account.
      c The address {email} is on the bounce list of our mail provider since {date}.
      c Too many attempts from one address in {city}; the lock was right, the message is unclear.
      f We have unlocked your account. Please choose a new password with the link we just sent.
      f Mails to {email} are let through again, the link should be there within minutes.
    `),
    subject('sales 0 stock question', `
      t Is the {product} available again?
      t Question about the {product}
      t Spare parts for the {product}
      p [Will|When will] the {product} be in stock again?
      p Does the {product} also fit the {other}?
      p I am looking for spare parts for my {product}.
      d The page has shown "available soon" for {count} weeks now.
      d I need {count} of them for our office in {city}.
      d The description and the picture contradict each other.
      c The supplier announces {count} pieces for the middle of {month}.
      f The {product} will be back in the middle of {month}; we have put you on the list.
      f Yes, both fit together. You also need the adapter with the number {code}.
    `),
    subject('billing 0 invoice', `
      t Invoice for order {order}
      t Wrong name on invoice {invoice}
      t No invoice for order {order}
      p I need an invoice for order {order}[ with our tax number|, made out to {company}|].
      p Invoice {invoice} shows the wrong [address|company|amount].
      p There was no invoice in the parcel and none in my account.
      d Our bookkeeping closes the month on {day}.
      d It should be made out to {company}, {street}, {city}.
      c The tax number is only printed when it is in the account before the order.
      f The corrected invoice {invoice} is attached to your account as a PDF.
      f We have sent invoice {invoice} to {email}.
    `),
  ],
};

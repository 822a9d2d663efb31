import { subject, type Industry } from './subject.js';

/** A bank with cards, accounts and loans. */
export const bank: Industry = {
  goods: 'current account|savings account|credit card|debit card|mortgage|instalment loan|securities account|business account|travel card|overdraft'.split('|'),
  branded: 0,
  departments: ['Payments', 'Fraud desk', 'Cards', 'Lending', 'Compliance'],
  subjects: [
    subject('service 2 card', `
      t Card was declined
      t Card swallowed by the machine in {city}
      t New card has not arrived
      p My {product} ending in {last4} was declined [in {city}|at the till|online], although there is enough money.
      p The cash machine in {street} kept my card.
      p I have not received my new card yet, the old one ends on {later}.
      d I was on a journey and stood there without any money.
      d The machine showed the number {code}.
      d The PIN was right, I use it every day.
      c The card was in the wrong country profile: {city} was blocked.
      c The letter with the card came back to us: the address is out of date.
      f Your card is open for {city} now; the next payment will work.
      f A new card is on its way and should arrive by {later}.
    `),
    subject('service 3 fraud', `
      t Payment of {amount} that I did not make
      t Somebody asked me for my code
      t Suspicious message in your name
      p There is a payment of {amount} to {company} on my account that I did not make.
      p I gave my code to somebody who said he was calling from the bank.
      p I received a message with a link to a page that looks like yours.
      d The card is still in my pocket.
      d I have already reported it to the police in {city}, file {tracking}.
      d It happened on {day} around {time}.
      d Please block everything until this is clear.
      c Three attempts with the same merchant in one hour; the first was confirmed in the app on a device registered on {date}.
      c The page is known and has been reported; {count} customers wrote about it today.
      f The card is blocked and {amount} have been credited until the case is decided.
      f Thank you for the report. Please delete the message; your account is safe.
    `),
    subject('billing 1 transfer', `
      t Transfer of {amount} has not arrived
      t Transfer to the wrong account
      t Standing order was carried out twice
      p A transfer of {amount} from {date} has not arrived at {company}.
      p I sent {amount} to the wrong account number by mistake.
      p My standing order over {price} was carried out twice in {month}.
      d The reference was {invoice}.
      d The recipient is getting impatient and threatens with a reminder.
      d The app showed an error after I confirmed, so I did it again.
      c The transfer is held for a check of the recipient's name.
      c A repeat of the order after a timeout; the second one had another reference.
      f The amount was credited to the recipient on {date}.
      f We have called {amount} back; the recipient's bank has {days} days to answer.
    `),
    subject('technical 1 app', `
      t App does not start after update
      t Confirmation code does not arrive
      t New phone, how do I register it?
      p The app closes right after the start on my {device}, since version {version}.
      p The code for confirming payments does not arrive.
      p I have a new {device} and cannot confirm anything any more.
      d I installed it anew and restarted the phone.
      d The old phone has already been sold.
      d Other apps do not have this problem.
      c Crash in version {version} on devices with another language than English.
      c The registered number has an old country code.
      f Version {version} with the correction is in the store.
      f We have sent you a letter with a new registration code.
    `),
    subject('billing 1 fees', `
      t What is the fee of {price} for?
      t Fees on my {product}
      t Interest calculated wrongly
      p I do not understand the fee of {price} from {date}.
      p My {product} was meant to be free of charge.
      p In my opinion the interest for {month} is too high by {price}.
      d Nobody informed me about a change of conditions.
      d I have compared it with the price list on your page.
      c Income below the limit in two months; the fee is right, the letter about it was never sent.
      f We have paid back the fee of {price} and will inform you in time in future.
      f The interest was calculated from the day of the booking; a table is attached.
    `),
    subject('sales 0 loan', `
      t Loan application {order}
      t Early repayment
      t Question about a {product}
      p What is the state of my application {order} for a {product}?
      p I would like to repay {amount} of my loan early. What does it cost?
      p Which papers do you need for a {product}?
      d We have found a flat in {city} and the seller wants an answer by {later}.
      d I am self-employed and have the figures of the last {count} months.
      c The valuation of {street} is missing; lending expects it on {day}.
      f Your application is approved; the contract comes by mail.
      f The early repayment costs {price}. The calculation is in your mailbox.
    `),
    subject('service 1 statement documents', `
      t Statement for {month} is missing
      t Tax certificate
      t Change of name and address
      p The statement for {month} is not in my mailbox.
      p I need the tax certificate for last year[ for my tax adviser|].
      p I have moved to {street} in {city}. Please change my address.
      d I married and have a new name, the certificate is attached.
      d The download always ends with {code}.
      c Statements for accounts with several holders were produced {days} days late.
      f The statement for {month} is in your mailbox now.
      f Name and address are changed; a new card follows.
    `),
    subject('service 1 account access', `
      t Account blocked
      t Open an account for {company}
      t Power of attorney for my mother
      p My account has been blocked without any notice.
      p I would like to open a {product} for {company}.
      p My mother can no longer do her banking herself; how do I get a power of attorney?
      d The wages of {count} employees are due on {day}.
      d I uploaded my passport twice and it was refused both times.
      c The identification expired; compliance needs a new picture of the passport.
      f The block is lifted. Thank you for the papers.
      f Please visit our branch in {street} together; an appointment is reserved for {later}.
    `),
  ],
};

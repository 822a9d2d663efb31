import { phrases } from '../phrase.js';

/** What assistants and people of the team say. */
export const team = {
  /** The assistant in a chat. */
  welcomes: phrases(`
    Hello {name}, I am the assistant of this support desk. I am sorry to hear that and will look into it.
    Good day {name}! Thank you for your message. Let me see what I can do.
    Hello {name}, thank you for writing to us. I will check it at once.
    Thank you for writing, {name}. I understand that this is about the {product}.
    Hi {name}, I am happy to help with that.
  `),
  questions: phrases(`
    Can you give me the number that begins with the letter on your confirmation?
    May I have the e-mail address of the account, please?
    Is the address {street}, {city} still right?
    Which {product} is it about, the one from {month}?
    Could you please send a picture of it?
    To be sure: it is about the amount of {amount}, right?
  `),
  /** The same where something does not work. */
  diagnoses: phrases(`
    Could you tell me since when it happens?
    Which message do you see exactly?
    Have you already tried it with another browser or device?
    Did you change anything shortly before, a password or the address?
    Does it happen on your {device} only?
    Are others near you affected as well?
  `),
  findings: phrases(`
    I have found it: the entry is from {date} and has the state "{code}".
    I see your {product} here, everything looks as it should.
    In our system the case is marked as finished on {day}; that does not fit with what you say.
    I see two entries for {day}, one of them over {price}.
    According to my information it should be done within {days} working days.
    There is a note from {agent} of {date}, but no result.
    I cannot see this from here, only a colleague can.
  `),
  tips: phrases(`
    Please sign out, close the app, and sign in again.
    Please try it once more in a private window.
    Would you please check the junk folder for a message from {day}?
    Please enter the code {code} and confirm it with the second button.
    You can change that yourself in your account, under Settings.
    Please wait until {time} and look again; the update runs every hour.
  `),
  handovers: phrases(`
    I will pass this on to a colleague, who will write to you at {email}.
    I have opened a ticket with everything that you told me; somebody will look at it today.
    I am handing this over to a human colleague. You do not have to repeat anything.
    This needs a decision that I cannot make. My colleagues will get back to you within {count} hours.
    I have noted everything. You will hear from us by {day}.
  `),
  /** The assistant's words in the description of a ticket that it opens. */
  summaries: phrases(`
    Taken over from the chat with {full}.
    {full} wrote in the chat:
    Customer {full} ({email}) reports:
    Handed over from the conversation with {name}, who asked for a human colleague.
    Summary of the conversation with {full}:
    The customer could not be helped in the chat.
  `),
  steps: phrases(`
    I looked at the account: the last change is from {date}.
    Signing in again and another browser did not help.
    The customer was told to expect an answer by {day}.
    Lookup of {order} found the state "{code}".
    The customer is upset and mentioned a lawyer.
    An answer by e-mail is enough.
    The help article about it was offered and did not fit.
    Probably connected with the {other}, which was bought in {month}.
    A similar case was solved on {date} by {agent}.
    I could not check the payment of {amount}, which needs more rights.
    Wants to be called back after {time}.
  `),
  /** Comments of the team among themselves. */
  comments: phrases(`
    I am looking into it.
    Asked {mate}, who knows that part.
    Called the customer, no answer. I will try again on {day}.
    Spoke with {name} by phone: it is really about the {product} and not about the {other}.
    Waiting for an answer from {company}.
    The customer sent the file {file}; it confirms what was said.
    The same as the case from {month}, see {tracking}.
    {mate}, can you take over? I am away until {day}.
    Priority raised because of the deadline on {later}.
    Reminded the other department today.
    There are at least {count} more of these.
    No news yet, next look on {day}.
    The customer was already promised an answer twice.
    Waiting for the customer for {days} days now.
  `),
  /** The same where something does not work. */
  analyses: phrases(`
    Reproduced here with {browser} {version}, code {code}.
    Could not reproduce it here, {device} and {browser}.
    The logs of {time} show {code}.
    Happens since {version}, before that it was fine.
    Opened an issue for the developers: {tracking}.
  `),
  notes: phrases(`
    Careful, the customer has complained {count} times this year.
    Internal: up to {price} may be given without asking.
    The contract is worth {count},000 a year, please be generous.
    {mate} thinks that the mistake is ours.
    Do not promise a date, the team in {city} is short of people.
    Not to be told to the customer: the supplier has stopped making the {product}.
    Third case this month, I have told the product team.
    Identity not confirmed yet.
    The amount needs two signatures, {mate} has the second one.
    Please watch the tone, he posted the last answer in public.
  `),
  replyOpenings: phrases(`
    Hello {name},
    Dear {full},
    Good morning {name},
    Hi {name},
    Dear {name}, thank you for your patience.
    Hello {name}, thank you for your message.
    Hello {name}, please excuse the late answer.
  `),
  replyBodies: phrases(`
    I have taken over your case and am looking into it.
    We need one more thing from you: a picture of the confirmation of {date}.
    I have asked the responsible department and expect an answer by {day}.
    Could you please tell us whether it also happens with the {other}?
    We can see the problem and are working on it.
    Unfortunately I have no news yet, but I have not forgotten you.
    To check this we need the last four digits of the card, and nothing more.
    Please give us until {day}; I will write to you then in any case.
    As a small apology we have credited {price}.
    I tried to call you today at {time} and will try again on {day}.
  `),
  replyEndings: phrases(`
    Kind regards, {agent}
    Best regards, {agent}
    All the best, {agent}
    Please excuse the trouble. {agent}
    If anything is left, just answer this message. {agent}
    Many thanks for your patience, {agent}
  `),
  closings: phrases(`
    No answer for {days} days, closed.
    The customer confirms that it works.
    Closed after {days} days without a message.
    The customer is happy.
    Nothing left to do.
  `),
  deletions: phrases(`
    Spam
    Test ticket
    Opened twice by mistake
    The customer asked for it
  `),
};

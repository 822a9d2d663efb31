import { phrases } from '../phrase.js';

/** What customers say whatever it is about. */
export const customer = {
  greetings: phrases(`
    Hello,
    Hi,
    Hi there,
    Good morning,
    Good evening,
    Dear support team,
    Dear Sir or Madam,
    Hello everybody,
    Dear team,
    To whom it may concern,
  `),
  openers: phrases(`
    I am writing because I need your help.
    I hope that you can help me.
    I have a question.
    This is my [second|third] message about this.
    I could not find an answer on your help pages.
    I tried to call, but nobody answered.
    I was told by phone to write to this address.
    I have been a customer for many years and never had a problem.
    Your chat sent me here.
    I got your address from {colleague}.
    I am really annoyed.
    Maybe I am doing something wrong.
    Forgive me if this is the wrong address.
    Once more from the beginning:
  `),
  /** What else they tell; the longer somebody writes, the more of it. */
  context: phrases(`
    The same thing happened in {month}, and then it went away by itself.
    I have already tried everything that your help page says.
    The reference in your last e-mail was {code}.
    I called on {day} and spoke with {agent}, who wanted to call me back.
    The lady at the counter in {city} could not help me.
    I waited {count} minutes in your hotline and then the line went dead.
    As far as I can see nothing was changed on my side.
    First I thought that it was a mistake of mine.
    My customer number is in the signature.
    Everything is documented in the file {file}.
    I have read the conditions and find nothing about it.
    This cannot be the way to treat customers.
    I really like the {product}, which makes it all the more annoying.
    I have kept all papers and can send copies.
    My wife has been after me for days because of it.
    On the internet others write that they waited for {count} days.
    Last year it took {days} days, and I thought that was long.
    If it helps, I can send you photographs.
    Please answer by e-mail, I cannot take calls at work.
    For me this is the [third|fourth|fifth] time this year.
    I found others in a forum who describe the same.
    Somebody from {company} advised me to write to you.
    My neighbour in {street} had to wait for weeks.
    I am not at home before {time}.
    We are a small family business and depend on it.
    The automatic answer was not helpful.
    Between {time} and midnight I can be reached by telephone.
    It is the same for the {other}, by the way.
    Before that I had used the {other} for years.
  `),
  /** The same where something does not work. */
  trouble: phrases(`
    It worked without any trouble until {day}.
    I switched everything off and on again, without success.
    I have attached a screenshot with the time {time}.
    On my {device} it is the same.
    With {browser} nothing changes either.
    In the evening it gets worse.
    The serial number is {tracking}.
    The error message disappeared so quickly that I could not read it.
    My son, who knows about such things, could not help either.
    All I did was to follow the instructions, step by step.
    A colleague of mine, {colleague}, has exactly the same problem.
    It has been like that since the update to version {version}.
    Sometimes it works at the second or third attempt.
    I deleted everything and installed it again.
    The log shows {code} {count} times.
    At {company} they said that it must be on your side.
  `),
  impact: phrases(`
    I need a solution until {day}.
    This costs us {amount} a day.
    Without it we cannot close the month.
    We cannot work like this.
    It is not urgent, but I would like to know.
    Otherwise I will have to look for another provider.
    I am going to be on holiday from {later} on.
    My customers are waiting and I have nothing to tell them.
    Our deadline is {later}.
    I have already lost a whole day with this.
    For an explanation I would be grateful, too.
    If nothing happens, I will talk to my lawyer.
    It would be nice to have it solved before the weekend.
    There is no hurry.
    I am at my wits' end.
  `),
  asks: phrases(`
    Could you please look into it?
    What can I do?
    Please call me back.
    Please tell me how this goes on.
    When can I expect an answer?
    Please forward this to the right person.
    I ask you for a written confirmation.
    Can somebody explain that to me?
    I would be glad about a quick answer.
    Please correct that.
    Is this a known problem?
    I look forward to hearing from you.
    Who is responsible for it?
    Please do something at last!
  `),
  thanks: phrases(`
    Thank you, {full}
    Thanks in advance, {name}
    Kind regards, {full}
    Best wishes, {full}
    Many thanks, {full}
    Regards, {full}
    {full}
    Greetings from {city}, {name}
    Yours sincerely, {full}
    Sent from my {device}
  `),
  /** In a chat. */
  answers: phrases(`
    Yes.
    Yes, that is right.
    No, not yet.
    No, I have not changed anything.
    The number is {tracking}.
    It says {code}.
    {email}
    I think it was on {day}, around {time}.
    Just a moment, I have to look.
    I tried that already.
    That did not help.
    Now it says something else: {code}.
    On my {device}, with {browser}.
    {street}, {city}
    The last four digits are {last4}.
    Since {day}, I believe.
    I do not know where to find that.
    Can I talk to a human, please?
    And how long will that take?
    Okay, and then?
    I have sent you the file {file}.
    That is the third time that somebody asks me this.
    Thank you, I will wait.
    Great, thank you very much!
    All right.
  `),
  reopens: phrases(`
    Unfortunately it has begun again [today|on {day}|after a few days].
    I am sorry, but it is still not solved.
    Nothing has changed on my side since your answer.
    I am afraid that this is not finished yet.
    Your solution worked for one day.
    I still have the problem, now with the message {code}.
  `),
};

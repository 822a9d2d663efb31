import { subject, type Industry } from './subject.js';

/** Internet, telephone and mobile lines. */
export const telecoms: Industry = {
  goods: 'router|fibre line|prepaid card|television box|repeater|mobile contract|family tariff|data option|landline|modem|roaming pack|business line'.split('|'),
  branded: 0.4,
  departments: ['Network', 'Field service', 'Billing', 'Number portability'],
  subjects: [
    subject('technical 2 internet outage', `
      t No internet since {day}
      t Connection drops every evening
      t Line is dead in {city}
      p We have had no internet [since {day}|for {days} days|since the storm] at {street}, {city}.
      p The connection [drops|breaks off] every few minutes, mostly in the evening.
      p The light on the {product} is red and the line is dead.
      d The neighbours with the same provider have the same problem.
      d I work from home and have been using my mobile phone until its data ran out.
      d I restarted the {product} several times and pulled the plug for a minute.
      d An excavator was working in {street} last week.
      c The street cabinet in {street} shows {count} dropped lines; a technician is booked for {day}.
      c The profile of the line is too high for its length; attenuation {count} dB.
      f The cable in {street} has been repaired; your line has been stable since {time}.
      f We lowered the profile of your line a little. It should not drop any more.
    `),
    subject('technical 1 speed', `
      t Internet much slower than promised
      t Only {count} megabits instead of 250
      t Slow wireless network
      p I pay for 250 megabits and get {count} at best.
      p Since the change to the new tariff the internet is slower than before.
      p Films stop to load again and again in the evening.
      d I measured with a cable, directly at the {product}.
      d The speed test of {date} is attached, there are {count} more.
      d Upstairs there is hardly any signal left.
      c The {product} runs with firmware {version}, which is known for it.
      c The segment in {city} is overbooked in the evening; extension planned for {month}.
      f Your {product} has new firmware. The last measurement shows what you ordered.
      f Until the extension in {month} we take {price} off every bill.
    `),
    subject('billing 1 bill roaming', `
      t Bill for {month} is far too high
      t Roaming charges on bill {invoice}
      t Unknown third-party service on my bill
      p My bill {invoice} for {month} is {amount} instead of the usual {price}.
      p I was charged {amount} for roaming although I have a {product}.
      p There is a service on my bill that I have never ordered.
      d I was in {city} for {days} days and had data switched off.
      d The hotline put me through three times and then the call ended.
      d I have paid the undisputed part and withheld the rest.
      c The ship's cell network is not part of any pack; it booked {count} megabytes.
      c The option was booked by text message on {date}; the confirmation is in the log.
      f As a gesture we credit {price} on your next bill and have blocked such services.
      f Bill {invoice} has been corrected to {price}.
    `),
    subject('service 1 sim activation', `
      t SIM card is not activated
      t Lost phone, please block SIM
      t New SIM does not work
      p My new SIM card has not been activated for {days} days.
      p I have lost my phone in {city}. Please block the number at once.
      p My {device} shows "no network" with the new card.
      d The number of the card is {tracking}.
      d I entered the code {code} as the letter says.
      d In another phone the card does not work either.
      c The activation hangs in the portability system since {date}, state {code}.
      f Your card is active. Please switch the phone off and on once.
      f The number is blocked, a new card is on its way to {street}.
    `),
    subject('service 1 number porting', `
      t Number was not taken along
      t Porting of my number failed
      t Two contracts after porting
      p You promised to bring my number from my old provider, but [it has not happened|I got a new one].
      p Porting was refused because of a wrong date of birth.
      p Since the porting I can call, but nobody can call me.
      d My old provider confirmed the release for {later}.
      d All my customers know only that number.
      c The old provider has {company} as owner of the number, we asked with the private name.
      f Your number will be moved in the night to {day}.
      f The routing is corrected; calls from all networks arrive again.
    `),
    subject('sales 0 contract tariff', `
      t Change of tariff
      t Cancel contract {order}
      t Better offer for long-time customers
      p I would like to change to the {product}[ from {month} on|].
      p Please confirm the end of contract {order} on {later}.
      p A competitor offers me the same for {price}. Can you do something?
      d I have been a customer for {count} years.
      d The website always shows an error ({code}) when I try it there.
      c Notice arrived in time; retention may offer {price} for 24 months.
      f The change to the {product} takes place on {later}.
      f We confirm the end of contract {order} on {later} and are sorry to see you go.
    `),
    subject('service 1 technician appointment', `
      t Technician did not come
      t New appointment for {street}
      t Technician left without finishing
      p The technician announced for {day} did not come.
      p I need another appointment, on {day} I am not at home.
      p The technician was here and said that a part is missing.
      d I took a day off for it.
      d Please call before, the bell is broken.
      d The house is in the back yard, the entrance is beside the bakery.
      c Field service noted "nobody at home" at {time}; the position of the van was in another street.
      f The new appointment is on {later} between 8 and 12.
      f The technician will bring the part on {day} and call you before.
    `),
    subject('technical 0 device setup', `
      t How do I set up the {product}?
      t {product} asks for a code
      t Television box has no picture
      p How do I connect the {product} to my {device}?
      p The {product} asks for a code that I do not have.
      p There is sound but no picture on the {product} since {day}.
      d The instructions are for another model.
      d I am not very good with technical things, I am 78 years old.
      c The box needs another cable with older sets.
      f The code is on the back of the {product}, below the bar code.
      f Please use the second socket; then choose source 2 with the remote control.
    `),
  ],
};

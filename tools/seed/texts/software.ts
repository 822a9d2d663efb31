import { subject, type Industry } from './subject.js';

/** Software for companies, by subscription. */
export const software: Industry = {
  goods: 'Ledger|Planner|Inbox|Board|Forms|Vault|Reports|Calendar|Flow|Studio|Sync|Pulse|Notes|Directory|Scheduler|Archive'.split('|'),
  branded: 0,
  departments: ['Engineering', 'Platform', 'Product', 'Finance', 'Customer success'],
  subjects: [
    subject('technical 2 sign-in sso', `
      t Cannot sign in since this morning
      t Single sign-on fails with {code}
      t Sign-in link never arrives
      t Users locked out after password change
      p Nobody in our team can sign in since [this morning|{time}|the last update].
      p Single sign-on ends with the error {code} for {count} of our users.
      p The link for signing in does not arrive at {email}.
      p After I changed my password I am signed out every few minutes.
      d We use an identity provider of our own, and its log shows that the login was successful.
      d It works in a private window of {browser}, but not in a normal one.
      d The certificate was renewed on {date}, maybe that is connected.
      d Our administrator {colleague} is on holiday, and nobody else has the rights.
      c The metadata of their identity provider still holds the old certificate; it expired on {date}.
      c The session cookie is refused because of a second domain. Reproduced with {browser} {version}.
      c Mails to their domain are greylisted for about {count} minutes.
      f Please upload the new metadata under Settings, Security. We have tested it with your tenant.
      f The fix is live since {time}; a new sign-in is enough.
    `),
    subject('technical 1 export bug', `
      t Export stops at {count},000 rows
      t CSV export is empty
      t Columns of the export in another order
      p The export of our {product} data [stops after {count},000 rows|is empty|never ends].
      p The exported file {file} cannot be opened in our spreadsheet program.
      p Since version {version} the columns of the export are in another order.
      d There is no error message, the progress bar simply stays at {count} percent.
      d We need the numbers for the audit on {later}.
      d The umlauts and accents in customer names are broken.
      d Our script that reads {file} every night fails because of that.
      c The export reuses the query of the page and so its limit. Reproduced in the test tenant.
      c The worker runs out of memory with more than {count} custom fields.
      f Exports now read without the limit of the page. Please start it again.
      f The order of the columns is back to what it was and is documented from now on.
    `),
    subject('billing 1 invoice billing', `
      t Charged for too many seats
      t Question about invoice {invoice}
      t Invoice {invoice} is wrong
      p Invoice {invoice} lists {count} seats, but we only have [half of that|a few users|{days} of them in use].
      p We were charged {amount} although the subscription was cancelled in {month}.
      p Our purchase number is missing on invoice {invoice}, and our finance department sends it back.
      d The difference is {price} a month.
      d According to the contract that {colleague} signed, the price is fixed until {later}.
      d Please send future invoices to {email}.
      d The card ending in {last4} belongs to a colleague who has left.
      c The seats were counted before the removal on {date}; the credit is due.
      c The cancellation came {days} days after the end of the notice period. Sales promised otherwise by mail.
      f A credit note over {price} is in your account, the next invoice will be right.
      f Invoice {invoice} has been replaced; the new one names your purchase number.
    `),
    subject('technical 2 performance slow', `
      t {product} is very slow
      t Pages take {count} seconds to load
      t Timeouts in {product}
      p {product} has been [very slow|hardly usable|crawling] since {day}.
      p Opening a project takes {count} seconds, and sometimes it ends with {code}.
      p Our dashboards run into a timeout every morning around {time}.
      d Our line is not the problem, everything else is quick.
      d It concerns the users in {city} only, others do not notice anything.
      d We have about {count},000 records in that workspace.
      d The status page shows everything green.
      c A missing index: the list of {product} scans the whole table for tenants of this size.
      c Their proxy in {city} inspects every request and adds {count} seconds.
      f We have added what was missing on our side; the list opens within a second now.
      f Please let your network team exclude our domain from inspection.
    `),
    subject('technical 1 api integration', `
      t API answers {code}
      t Webhooks arrive twice
      t Integration with {other} stopped
      p The API answers with {code} for every request since {time}.
      p Webhooks of {product} [arrive twice|come hours late|do not arrive at all].
      p The integration between {product} and {other} stopped working on {day}.
      d The request id of the last one is {tracking}.
      d Our key was created by {colleague} in {month} and has all rights.
      d We send about {count} requests a minute, well below the limit.
      d Nothing was changed in our code.
      c The key expired; the warning went to a mailbox that nobody reads.
      c The receiver answers only after {count} seconds, so we send it again: at least once is what we promise.
      f We have extended the key until {later}. Please create a new one before that.
      f Webhooks carry an id now, so that a repeat can be told from a new one.
    `),
    subject('technical 1 data sync', `
      t Records missing after import
      t Sync shows old data
      t Duplicate contacts after import of {file}
      p After the import of {file} {count} records are missing.
      p The data in {product} is [hours|days] old, although the sync says that all is well.
      p The import created every contact twice.
      d The log of the import shows no errors.
      d We already restored the copy from {date} once.
      d The file has {count},000 lines and is encoded as UTF-8.
      c Lines with a line break inside quotes were skipped; fixed in version {version}.
      c The sync holds a lock of the failed run from {date}.
      f The missing {count} records have been imported, please check a few of them.
      f We merged the duplicates and kept the newest of each.
    `),
    subject('sales 0 upgrade pricing', `
      t Upgrade to the bigger plan
      t Quote for {count} seats
      t Discount for a non-profit organisation
      p We would like to [upgrade|move] to the bigger plan. What does it cost for {count} users?
      p Please send us a quote for {count} seats with yearly billing.
      p Is there a discount for [schools|charities|start-ups]?
      d Our budget for this year is {amount}.
      d The decision is made in a meeting on {later}.
      d We would need {product} as well as {other}.
      c Above {count} seats the yearly price applies; a trial is possible until {later}.
      f The quote is in your mailbox. It is valid until {later}.
      f You can change the plan at any time; what you have paid is set off.
    `),
    subject('technical 0 how-to permissions', `
      t How do I share a {product} with others?
      t Cannot find the setting for {product}
      t Move a project to {other}
      p How can I give [my team|a colleague|an external partner] access to {product}?
      p I cannot find where to change the [language|time zone|notifications] of {product}.
      p Is it possible to [move|copy] a project from {product} to {other}?
      d The help page describes an older version, the menu looks different here.
      d {colleague} should only see the reports of the office in {city}.
      d I am an administrator, at least that is what my profile says.
      c The help page is from version {version}; documentation is told.
      f You find it under Settings, Members. Choose "can read" for {colleague}.
      f That is not possible yet; we have noted the wish.
    `),
    subject('technical 3 outage', `
      t {product} is down
      t Nothing works any more
      t All users see error {code}
      p {product} is down [for everybody|for all of us in {city}] since {time}.
      p Every page shows the error {code}.
      p We have lost access to all our data and our customers are waiting.
      d {count} people cannot work at the moment.
      d It began right after the maintenance on {day}.
      d Please call us back, this is urgent.
      c A deployment at {time} left one of the nodes with an old configuration.
      c The database failed over; connections in the pool stayed with the old primary for {count} minutes.
      f The disturbance ended at {time}. No data was lost; a report follows.
      f All nodes have the right configuration again. We apologise for the interruption.
    `),
    subject('service 0 privacy account', `
      t Delete my account and data
      t Data processing agreement
      t Close workspace of {company}
      p Please delete my account {email} and everything you know about me.
      p Our lawyers need a signed data processing agreement for {company}.
      p We close our office in {city} and do not need the workspace any more.
      d I have already downloaded what I need.
      d The deadline for our answer to the authority is {later}.
      c Identity confirmed by {colleague}; deletion runs after the usual {days} days.
      f The account and its data will be deleted on {later}.
      f The signed agreement is attached; please send one copy back.
    `),
  ],
};

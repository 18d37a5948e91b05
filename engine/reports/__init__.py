"""What it was worth: one question per file.

`funnel` asks where visitors are lost on the way to the first order, and what mending that would bring;
`sources` asks what advertising cost, and what the customers it brought have paid since. Both ask the
database for sums over sets, and reckon with these: what they hold in memory grows with the calendar and
the number of sources, not with the number of people.

`claims` asks what mails have told people about themselves, and by which facts.
"""

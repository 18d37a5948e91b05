"""A strict SendGrid of our own, as a process: `python -m tests.fake_sendgrid --records FILE [--port N]`.

It takes what sendgrid.md says the real one takes, and nothing else, all of a request or none of it:
`judging` finds what is wrong with a request, `merging` makes the mails that its recipients get,
`records` keeps them in a file that outlives everybody, `lists` are those of suppressed addresses,
`stored` is what can be asked of mails, `orders` makes it misbehave on command,
`server` speaks HTTP, and `hand` is how a test holds it. Events by webhook begin from `records`: every
accepted mail stands there with its custom_args.
"""

"""THE WAY BACK: what providers tell of mails that have left.

`inbound` keeps it word for word, before anything is made of it. `applying` then takes it up, batch by
batch: `sendgrid` or `smtp` reads one event, `ours` finds the mail it speaks of, `standing` decides about
addresses, `evidence` about mails of unknown fate. `signature` tells whether it was SendGrid that spoke.
"""

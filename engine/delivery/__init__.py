"""HOW IT GOES OUT, ONCE: the outbox, the loop that empties it, and the ways out.

`deliver` is the loop, `courier` carries one batch from its committed intent to its settlement.
`states` names every state of a mail and every move between them; `outbox` makes the moves of one
owner, with the conditional updates of `rows`. `leases` and `reconcile` see to what an earlier run
left behind, `retry` says how long to wait, `throttle` how fast mails may leave and `gate` by which rates,
`staging` to whom in a rehearsal, `generation` whether this database may mail at all; `transports/` holds
one way out per file.
"""

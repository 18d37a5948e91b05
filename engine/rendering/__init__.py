"""HOW IT READS: templates checked, claims proven, mails written.

Start with `studio.py`, which the other rooms use. A template goes through `sources` (its files),
`reading` (the files as one, in the order they render), `claims` and `names` (what is wrong with
it), `html` and `text` (styles inlined and plain text derived, once), and `context` and `evidence`
(what is known of one customer). `eml` turns the mail into bytes.
"""

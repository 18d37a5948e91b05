"""WHO: whom each campaign's audience holds now.

`judged` are the temporary tables of one look, `candidates` those whose answer may have changed,
`looks` what the last look saw, `look` the look itself: over everybody, or over the candidates only.
"""

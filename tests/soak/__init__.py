"""THE SOAK: real processes deliver under trouble of every kind, and then the mails are counted.

`make soak`, or `python -m tests.soak --help`. `crew` holds the processes, which are killed and frozen;
`providers` take the mails and fail at random (`smtp_server` is one of them, as a process); `databases` are
restarted; `round` is the whole of it, and `reckoning` the counts at its end.
"""

"""THE DAEMON: plans and delivers until it is told to stop.

APScheduler is a clock within this process and nothing more: `jobs` is all that it starts, and how
often. Each job is a file: `planner`, `sender`, `reader` (campaigns and templates anew), `inbox` (the
folder that is watched), `listener` (what providers told), `lists` (their lists of suppressed addresses),
`finder` (mails of unknown fate, at their provider) and `sweeper` (what has been kept long enough).
`post` is what they share, `steady` what becomes of their errors and `record` what is kept of them, `serve`
the beginning and the end, `logs` what is said of it.
"""

"""THE RIVERBED: every table, the connections, and what differs between databases.

`tables` is the one page of tables, `connect` opens a database, `dialect` holds each difference
between SQLite and PostgreSQL once, `migrate` brings an older database up to date.
"""

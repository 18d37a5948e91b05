"""THE RIVERBED: every table, the connections, and what differs between databases.

`tables` is the one page of tables, `connect` opens a database, `dialect` holds each difference
between SQLite and PostgreSQL once, `migrate` tells which shape a
database has, and `upgrading` brings an older one up to date.
"""

"""FACTS THAT OTHERS TELL: kept word for word as they come, and turned into facts afterwards.

`inbound` keeps them, `taking_up` takes up what waits. Where the database has one writer, `spool` keeps them
in files first, and `draining` brings these in. `sources/` has a file for each program that tells something:
how it is believed, and which facts its events are, in the words of the columns of files.
`dossiers` brings together what was told of one order, in whatever order it came, and `two_numbers` what was
told under another number of it, and `sums` what is told of its refunds as a sum; `punctual` lets nothing be
of a time to come, and `landing` has it all land as an import does. `looking_back` lists what is
parked, looks at old events anew, and tells who fell silent.
"""

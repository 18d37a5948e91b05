"""WHAT WE KNOW: the catalogue, who people are, and the import of what they did.

::

    catalogue      the things a shop sells
    lookup         one person, by what a human has at hand
    identity       which customer an address or shop id belongs to
    suppression    addresses that get nothing
    transactions   which orders belong to one checkout
    model          the rows that files of facts are made of
    values/        text from a file as a value, or the reason why not
    mapping        MAP.yaml: how somebody else's file says what ours would
    importing      the driver: reading → columns → staging → importers/ → store, with rejects
"""

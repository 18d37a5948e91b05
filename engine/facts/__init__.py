"""WHAT WE KNOW: the catalogue, who people are, and the import of what they did.

::

    catalogue      the things a shop sells
    shelf          the file of the catalogue, which grows
    sold           what was sold of each product
    lookup         one person, by what a human has at hand
    identity       which customer an address or shop id belongs to
    merging        an anonymous customer turns out to be a known one; uniting brings their runs together
    suppression    addresses that get nothing
    consenting     a person's own word on topics
    wishes         what a reader wishes through the link of a mail
    tombstones     who was erased, and is passed over
    transactions   which orders belong to one checkout
    subscriptions  how a subscription stood, as intervals
    changes        whose facts were written since audiences were last judged

    agreement      stored facts and the settings they were worked out with
    importing      the driver of an import; below it in the order in which a file meets them
    opening        that a file can be read, which kind it is (guessing), how its header is taken (binding)
    mapping        MAP.yaml: how somebody else's file says what ours would
    sources/       files of several formats, and databases, as text
    reading        a file as rows, each with its place
    judging        rows by the block: values, or the reason why not (refusal)
    columns        how each column is read (values/)
    model          the rows that come of it
    staging        the sorter that brings together what belongs together
    importers/     what each kind of file is, and how its rows land; assembly makes orders of lines
    rejects        the rows that did not land; locks keep two imports apart, advice tells what to do
    summary        what an import says
"""

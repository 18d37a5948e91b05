"""Where rows come from: every source becomes a file of text that is read row by row.

::

    opening      which kind of source a file is
    source       a file of text: its header, and its records
    json_lines   records that are JSON objects, one to a line
    packed       gzip, unpacked
    parquet      columns, written out as rows
    database     the answer to a query
    cells        values that are no text, as text
    scratch      private files that are gone when the import ends
"""

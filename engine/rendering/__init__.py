"""HOW IT READS: templates checked, claims proven, mails written. Start with `studio`.

::

    studio, copy, writing, rendered     the door; a step's copy; one mail; one template rendered
    mail, eml                           what was ordered and what was written; a mail as bytes
    sources, parsed, events, reading    template files, and all that a template does, in order
    claims, evidence, unproven          what is said of a person, and the facts that prove it
    names, outside, places, tryout      what can be wrong with copy
    document, markup, forks, edits      HTML between statements, and changing it where it stands
    sightings, inline                   styles written onto tags
    outline, wording, pen, text         plain text derived from HTML
    environment, filters, context, customers    where templates run, and what they can name
    preparing                           all of this, once for each template
"""

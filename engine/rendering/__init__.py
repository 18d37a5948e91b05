"""HOW IT READS: templates checked, claims proven, mails written. Start with `studio`.

::

    studio, writing, rendered           the door; one mail; one template rendered
    copy, edition, locales, body        a step's copy, in each language, and what it is made of
    mjml_source, mjml_body              MJML: what can be wrong with it, and mails by their shape
    mail, eml                           what was ordered and what was written; a mail as bytes
    sources, parsed, events, reading    template files, and all that a template does, in order
    claims, evidence, unproven          what is said of a person, and the facts that prove it
    names, outside, places, tryout      what can be wrong with copy
    lint, advice                        what is no mistake, but worth a look
    document, markup, forks, edits      HTML between statements, and changing it where it stands
    sightings, inline                   styles written onto tags
    outline, wording, pen, text         plain text derived from HTML
    addresses, targets                  where links and pictures may lead, and where they do
    environment, filters, liquid, context, customers    where templates run, and what they can name
    preparing                           all of this, once for each template
"""

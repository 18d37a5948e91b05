"""config.yaml and `AFTERSALE_*` as one set of settings.

    values     what a single value may be
    shop       who is speaking
    policies   who is left in peace, and for how long
    delivery   the way out
    web        what is open to the internet
    running    the daemon, and a rehearsal
    reports    what the reports on the front end judge by
    secrets    what comes from the environment only
    model      all of them as `Settings`
    load       reading config.yaml

The environment wins over the file: `AFTERSALE_DATABASE=postgresql://…`,
`AFTERSALE_FREQUENCY__MAX=2`. Secrets (a database password, API keys) come from there only.
"""

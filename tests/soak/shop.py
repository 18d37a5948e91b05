"""The shop of a soak: beside two of the bundled campaigns, one letter after the other to everybody who ever bought."""

from datetime import datetime
from pathlib import Path
from textwrap import dedent, indent

from tests.conftest import NOW
from tests.shops import TWO, lay_out

LETTERS = 24
CAMPAIGN = dedent("""\
    campaign: letters
    track: back-end
    audience: {ordered: {at_least: 1}}
    holdout: 0%
    steps:
""")
STEP = indent(
    dedent("""\
    - id: letter-{number}
      after: {after}
      email:
        subject: Letter {number} for {{{{ customer.first_name }}}}
        preheader: The next one comes soon.
        template: letters/letter.html
"""),
    "  ",
)
TEMPLATE = """\
{% extends "_layout.html" %}
{% block content %}
<p>Hello {{ customer.first_name }},</p>
<p>this is one letter of many.</p>
{% endblock %}
"""


def make_shop(shop: Path, customers: int, now: datetime = NOW, wait: str = "10m") -> None:
    """With facts of so many customers, in the database that the environment names, and a letter every `wait`."""
    lay_out(shop, customers, only=TWO, now=now)
    steps = (
        STEP.format(number=number, after=wait if number > 1 else "0") for number in range(1, LETTERS + 1)
    )
    (shop / "campaigns" / "letters.yaml").write_text(CAMPAIGN + "".join(steps), encoding="utf-8")
    (shop / "templates" / "letters").mkdir()
    (shop / "templates" / "letters" / "letter.html").write_text(TEMPLATE, encoding="utf-8")

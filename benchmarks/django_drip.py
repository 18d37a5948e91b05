"""django-drip-campaigns writing and sending one mail to many people, as its own documentation sets it up.

    python -m benchmarks.django_drip FOLDER        reads FOLDER/drip.json, writes FOLDER/dripped.json

A process of its own: Django's settings are one to a process. Its database is SQLite, as ours is, and mails
leave by SMTP, which is Django's way; without a port they are written and thrown away.
"""

import json
import sys
import time
from pathlib import Path

import django
from django.conf import settings
from django.core.management import call_command


def main(folder: Path) -> None:
    """Lay out a table of users, and run one drip over all of them. Only the run is timed."""
    asked = json.loads((folder / "drip.json").read_text(encoding="utf-8"))
    _set_up(folder, asked["port"])
    drip = _drip(asked["subject"], asked["html"])
    _add_users(asked["users"])
    start, begun = time.perf_counter(), time.process_time()
    sent = drip.run()
    spent = {"seconds": time.perf_counter() - start, "processor": time.process_time() - begun, "sent": sent}
    (folder / "dripped.json").write_text(json.dumps(spent), encoding="utf-8")


def _set_up(folder: Path, port: int | None) -> None:
    settings.configure(
        SECRET_KEY="a benchmark",  # noqa: S106 - it signs nothing
        INSTALLED_APPS=["django.contrib.auth", "django.contrib.contenttypes", "drip"],
        DATABASES={"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": folder / "drip.db"}},
        DEFAULT_AUTO_FIELD="django.db.models.AutoField",
        DEFAULT_FROM_EMAIL="shop@shop.example",
        EMAIL_BACKEND=f"django.core.mail.backends.{'smtp' if port else 'dummy'}.EmailBackend",
        EMAIL_HOST="127.0.0.1",
        EMAIL_PORT=port or 0,
        TEMPLATES=[{"BACKEND": "django.template.backends.django.DjangoTemplates"}],
        USE_TZ=True,
    )
    django.setup()
    call_command("migrate", verbosity=0)


def _drip(subject: str, html: str):
    """For every user who is active: the simplest rule there is."""
    from drip.models import Drip, QuerySetRule  # noqa: PLC0415 - models want the settings first

    drip = Drip.objects.create(name="news", enabled=True, subject_template=subject, body_html_template=html)
    QuerySetRule.objects.create(drip=drip, field_name="is_active", lookup_type="exact", field_value="True")
    return drip.drip


def _add_users(users: list[tuple[str, str]]) -> None:
    from django.contrib.auth.models import User  # noqa: PLC0415

    User.objects.bulk_create(
        (User(username=email, email=email, first_name=name) for email, name in users), batch_size=500
    )


if __name__ == "__main__":
    main(Path(sys.argv[1]))

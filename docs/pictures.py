"""Pictures of the bundled mails: at a desk and on a telephone, in light and in dark.

aftersale demo DIR
python docs/pictures.py DIR/outbox    writes docs/pictures/CAMPAIGN.webp

Takes the first mail that left of each campaign's first step, and needs Chromium.
"""

import argparse
import shutil
import subprocess
import sys
import tempfile
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from html import escape
from pathlib import Path

PICTURES = Path(__file__).parent / "pictures"
DESK, PHONE, GAP = 700, 375, 24
PAGE = """\
<!doctype html><meta charset="utf-8">
<style>
  body {{ margin: 0; padding: {gap}px; display: grid; grid-template-columns: {desk}px {phone}px; gap: {gap}px;
         background: #cfcac3; }}
  iframe {{ border: 0; border-radius: 10px; width: 100%; }}
  .dark {{ color-scheme: dark; }}
</style>
<iframe srcdoc="{mail}"></iframe><iframe srcdoc="{mail}"></iframe>
<iframe class="dark" srcdoc="{mail}"></iframe><iframe class="dark" srcdoc="{mail}"></iframe>
<script>
  addEventListener("load", () => {{
    const frames = [...document.querySelectorAll("iframe")];
    const tall = Math.max(...frames.map(frame => frame.contentDocument.documentElement.scrollHeight));
    frames.forEach(frame => frame.style.height = tall + "px");
    document.body.dataset.tall = tall;
  }});
</script>
"""


def main() -> int:
    parser = argparse.ArgumentParser(description="Take pictures of the mails in an outbox.")
    parser.add_argument("outbox", type=Path)
    chromium = shutil.which("chromium") or shutil.which("google-chrome")
    if chromium is None:
        print("Chromium is not installed", file=sys.stderr)
        return 1
    for campaign, mail in first_mails(parser.parse_args().outbox).items():
        picture = PICTURES / f"{campaign}.webp"
        take(chromium, html_of(mail), picture)
        print(f"{picture.name}: {picture.stat().st_size:,} bytes")
    return 0


def first_mails(outbox: Path) -> dict[str, EmailMessage]:
    """By campaign, the first mail of the step that its first mail is of."""
    found: dict[str, EmailMessage] = {}
    for path in sorted((outbox / "mails").rglob("*.eml")):
        mail = message_from_bytes(path.read_bytes(), policy=default)
        assert isinstance(mail, EmailMessage)  # noqa: S101 - the default policy makes them
        campaign, step = str(mail["X-Aftersale-Campaign"]), str(mail["X-Aftersale-Step"])
        if step == FIRST.get(campaign, step):
            found.setdefault(campaign, mail)
    return found


FIRST = {  # where a later step can leave before the first one in a demo
    "flagship-after-guide": "half-a-loaf",
    "flour-refill": "bottom-of-the-bag",
    "stalled-learner": "your-place",
    "win-back": "from-the-oven",
}


def html_of(mail: EmailMessage) -> str:
    body = mail.get_body(("html",))
    return str(body.get_content()) if body else ""


def take(chromium: str, mail: str, picture: Path) -> None:
    """One picture: the mail four times, all of it."""
    with tempfile.TemporaryDirectory() as folder:
        page = Path(folder) / "page.html"
        page.write_text(PAGE.format(mail=escape(mail), desk=DESK, phone=PHONE, gap=GAP), encoding="utf-8")
        width = DESK + PHONE + 3 * GAP
        told = ask(chromium, page, width, DESK, "--dump-dom")
        tall = int(told.partition('data-tall="')[2].partition('"')[0])
        ask(chromium, page, width, 2 * tall + 3 * GAP, f"--screenshot={picture}")


def ask(chromium: str, page: Path, width: int, height: int, wish: str) -> str:
    command = [
        *(chromium, "--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars"),
        *(f"--window-size={width},{height}", wish, page.as_uri()),
    ]
    done = subprocess.run(command, check=True, capture_output=True, timeout=120)  # noqa: S603 - no shell
    return done.stdout.decode(errors="replace")


if __name__ == "__main__":
    sys.exit(main())

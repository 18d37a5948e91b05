"""The reference with the OpenAPI document, written from the code itself, and the JSON Schema of campaigns.

python docs/generate.py            writes docs/reference/ and campaigns/campaign.schema.json
python docs/generate.py --check    writes nothing, and exits with 1 where a file is not current
"""

import argparse
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

from pages import campaign, commands, conditions, errors, policies, products, reasons, settings

from engine.campaigns.schema import schema_text
from engine.web.openapi.document import document_text

ROOT = Path(__file__).parent.parent
REFERENCE = ROOT / "docs" / "reference"
SCHEMA = ROOT / "campaigns" / "campaign.schema.json"
MARK = "<!-- Written by docs/generate.py from the code. Change the code, and run it again. -->\n\n"
FAMILIES = (campaign, conditions, products, commands, policies, reasons, errors, settings)


def generated() -> dict[Path, str]:
    """Every file that is written from the code, with what it should say."""
    pages = {REFERENCE / name: MARK + text for family in FAMILIES for name, text in family.pages().items()}
    return {**pages, SCHEMA: schema_text(), REFERENCE / "openapi.json": document_text()}


def stale(files: Mapping[Path, str]) -> Iterator[Path]:
    """Those that say something else, those that are missing, and those nothing stands behind any more."""
    for path, text in files.items():
        if not path.exists() or path.read_text(encoding="utf-8") != text:
            yield path
    for path in REFERENCE.rglob("*.md"):
        if path not in files and path.read_text(encoding="utf-8").startswith(MARK):
            yield path


def write(path: Path, text: str | None) -> None:
    """Write the file; without a text, remove it."""
    if text is None:
        path.unlink()
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")


def main() -> int:
    parser = argparse.ArgumentParser(description="Write the reference from the code.")
    parser.add_argument(
        "--check", action="store_true", help="write nothing, exit 1 where a file is not current"
    )
    only_check = parser.parse_args().check
    files = generated()
    found = sorted(stale(files))
    for path in found:
        if not only_check:
            write(path, files.get(path))
        print(f"{'not current' if only_check else 'written'}: {path.relative_to(ROOT)}")
    if found and only_check:
        print("run: python docs/generate.py", file=sys.stderr)
    return 1 if found and only_check else 0


if __name__ == "__main__":
    sys.exit(main())

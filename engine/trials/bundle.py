"""Where the bundled shop's files are: packed beside this module, or at the top of a checkout."""

from pathlib import Path

from engine.facts.catalogue import Catalogue, load_catalogue

PACKED = Path(__file__).parent / "starter"
CHECKOUT = Path(__file__).parents[2]
FOLDERS = ("campaigns", "templates")
CONFIG_EXAMPLE = "config.example.yaml"


def bundled() -> Path:
    """The folder that holds `campaigns/`, `templates/` and `config.example.yaml`."""
    return PACKED if PACKED.is_dir() else CHECKOUT


def bundled_catalogue() -> Catalogue:
    """What the bundled shop sells."""
    return load_catalogue(bundled() / "campaigns" / "products.yaml")

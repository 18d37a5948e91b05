"""products: the catalogue beside what was sold, and the catalogue completed."""

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from engine.app.project import Project
from engine.clock import LAST
from engine.facts.catalogue import Catalogue, load_catalogue
from engine.facts.shelf import Shelf
from engine.facts.sold import SoldProduct, sold_products


@dataclass(frozen=True)
class Listed:
    """A product: as the catalogue names it ('' = it is missing there), and as it was sold (None = never)."""

    sku: str
    name: str
    sold: SoldProduct | None


def products_file(project: Project) -> Path:
    return project.folder / "campaigns" / "products.yaml"


def listing(project: Project, until: datetime = LAST) -> list[Listed]:
    """Everything that was sold until then, most first, and then what stands in the catalogue alone."""
    catalogue = load_catalogue(products_file(project), project.settings.shop.currency)
    with project.store.reading() as connection:
        sold = list(sold_products(connection, until))
    seen = {each.sku for each in sold}
    listed = [Listed(each.sku, _name(catalogue, each.sku), each) for each in sold]
    return listed + [Listed(sku, catalogue[sku].name, None) for sku in catalogue if sku not in seen]


def write_missing(project: Project) -> list[str]:
    """Add what was sold and is missing, under its sku for a name; says which."""
    missing = [each.sku for each in listing(project) if not each.name]
    path = products_file(project)
    Shelf(path, load_catalogue(path, project.settings.shop.currency)).add(
        {"sku": sku, "name": sku} for sku in missing
    )
    return missing


def _name(catalogue: Catalogue, sku: str) -> str:
    return catalogue[sku].name if sku in catalogue else ""

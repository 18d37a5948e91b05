"""import: facts from files and databases into the project's store."""

from collections.abc import Callable, Sequence
from datetime import datetime
from pathlib import Path

from engine.app.project import Project
from engine.facts.catalogue import load_catalogue
from engine.facts.importing import ImportJob, ImportProgress, ImportSummary, import_files
from engine.facts.mapping import load_mapping
from engine.facts.sources.database import Query
from engine.store.ids import IdFactory

REJECTS = "rejects"


def import_into(  # noqa: PLR0913 - each named by its caller
    project: Project,
    files: Sequence[Path | Query],
    *,
    now: datetime,
    kind: str | None = None,
    mapping: Path | None = None,
    ids: IdFactory | None = None,
    rejects_folder: Path | None = None,
    progress: Callable[[ImportProgress], None] = lambda _: None,
) -> list[ImportSummary]:
    """Import the files, or the answers to queries. `kind` and `mapping` speak of all of them."""
    mapped = load_mapping(mapping) if mapping is not None else None
    products = project.folder / "campaigns" / "products.yaml"
    catalogue = load_catalogue(products, project.settings.shop.currency)
    return import_files(
        project.store,
        project.settings,
        catalogue,
        [ImportJob(given, kind, mapped) for given in files],
        now=now,
        ids=ids or IdFactory(),
        rejects_folder=rejects_folder or project.folder / REJECTS,
        progress=progress,
        products_file=products,
    )

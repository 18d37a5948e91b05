"""Which files below `campaigns/` are campaigns, and what is wrong with the folder itself."""

from collections.abc import Iterator
from pathlib import Path

from engine.errors import Problem, relative

PRODUCTS, SEGMENTS = "products.yaml", "segments.yaml"
ENDINGS = (".yaml", ".yml")


def campaign_files(folder: Path) -> list[Path]:
    """Every YAML file that is not hidden, whatever its ending looks like; those of other names are notes."""
    return [path for path in _yaml_files(folder) if not _shared(folder, path)]


def folder_problems(folder: Path) -> Iterator[Problem]:
    """No folder, nothing in it, or a shared file under a name that would not be read."""
    if not folder.is_dir():
        hint = "a campaign is a file in it, such as campaigns/win-back.yaml; `aftersale init DIR` writes some"
        yield Problem(relative(folder), 0, 0, "there is no such folder", hint)
    elif not campaign_files(folder):
        hint = "write one, such as campaigns/win-back.yaml"
        yield Problem(relative(folder), 0, 0, "there is no campaign in it", hint)
    for path in sorted(folder.rglob("*")):
        if path.is_symlink() and path.is_dir():
            told = "is a link to a folder, which is not read"
            yield Problem(relative(path), 0, 0, told, "put the folder itself there")
    for path in _yaml_files(folder):
        if _shared(folder, path) and path.name not in (PRODUCTS, SEGMENTS):
            yield Problem(relative(path), 0, 0, "is not read", f"call it {path.stem.lower()}.yaml")


def _yaml_files(folder: Path) -> Iterator[Path]:
    for path in sorted(folder.rglob("*")):
        hidden = any(part.startswith(".") for part in path.relative_to(folder).parts)
        if path.suffix.lower() in ENDINGS and not path.is_dir() and not hidden:
            yield path


def _shared(folder: Path, path: Path) -> bool:
    """Whether it is named as the products or segments of all campaigns, in whatever spelling."""
    return path.parent == folder and f"{path.stem.lower()}.yaml" in (PRODUCTS, SEGMENTS)

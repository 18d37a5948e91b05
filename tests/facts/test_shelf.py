"""The catalogue's file when several write it."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from engine.errors import ImportFailed
from engine.facts import shelf as shelves
from engine.facts.catalogue import Catalogue, load_catalogue
from engine.facts.shelf import Shelf

FIRST = "products:\n  guide: {name: The Guide}\n"


def product(sku: str) -> dict[str, str]:
    return {"sku": sku, "name": sku.upper()}


def test_who_read_the_file_before_another_added_to_it_loses_nothing(tmp_path: Path) -> None:
    path = tmp_path / "products.yaml"
    path.write_text(FIRST.replace("{name: The Guide}", "\n    name: The Guide"))
    one, other = (Shelf(path, load_catalogue(path)) for _ in range(2))
    assert one.add([product("a"), product("both")]) == ["a", "both"]
    assert other.add([product("b"), product("both")]) == ["b"]
    assert list(load_catalogue(path)) == ["guide", "a", "both", "b"]
    assert list(other.catalogue) == ["guide", "a", "both", "b"]


def test_many_at_once(tmp_path: Path) -> None:
    path = tmp_path / "campaigns" / "products.yaml"
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda n: Shelf(path, Catalogue()).add([product(f"p{n}")]), range(24)))
    assert set(load_catalogue(path)) == {f"p{n}" for n in range(24)}
    assert [file.name for file in path.parent.iterdir()] == ["products.yaml"]


def test_what_an_editor_saves_meanwhile_is_not_lost(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "products.yaml"
    path.write_text("products:\n")
    read_again = shelves._read_again

    def saved_meanwhile(name: str, text: str) -> Catalogue:
        path.write_text("products:\n  mine: {name: Mine}\n")
        return read_again(name, text)

    monkeypatch.setattr(shelves, "_read_again", saved_meanwhile)
    with pytest.raises(ImportFailed, match="was changed while products were to be added"):
        Shelf(path, Catalogue()).add([product("a")])
    assert list(load_catalogue(path)) == ["mine"]
    assert [file.name for file in tmp_path.iterdir()] == ["products.yaml"]

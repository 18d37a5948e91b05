"""The catalogue beside what was sold, and how it grows without a line of it being changed."""

from pathlib import Path

import pytest

from engine.facts.catalogue import load_catalogue

from .conftest import Aftersale

FILE = Path("campaigns/products.yaml")
BY_HAND = """\
# Ours, in the order of the shelf.
products:
    guide:   # sold since 2019
        name: "The Guide"
        price: 7.00   # never on sale
        units: {one: 'First', two: Second}
# the end"""
ORDERS = "order_id,email,at,sku,quantity,amount\n1,ann@example.com,2026-01-01T00:00Z,guide,2,14\n2,ann@example.com,2026-01-02T00:00Z,no,1,5\n"


@pytest.fixture
def sold(aftersale: Aftersale, light_project: Path) -> Path:
    """A project whose catalogue was written by hand, and which sold one product more."""
    FILE.write_text(BY_HAND)
    Path("orders.csv").write_text(ORDERS)
    assert aftersale("import", "orders.csv").code == 0
    return light_project


def test_what_was_sold(aftersale: Aftersale, sold: Path) -> None:
    said = aftersale("products", "--json")
    assert said.code == 0
    found = {each["sku"]: each for each in said.json["products"]}
    assert found["guide"]["name"] == "The Guide"
    assert found["guide"]["sold"] == {
        "pieces": 2,
        "orders": 1,
        "amount": 1400,
        "last_at": "2026-01-01T00:00:00Z",
    }
    assert found["no"]["name"] is None
    assert "missing" in aftersale("products").out


def test_what_is_missing_is_added_below_what_was_written_by_hand(aftersale: Aftersale, sold: Path) -> None:
    said = aftersale("products", "--write")
    assert said.code == 0, said.err
    assert FILE.read_text().startswith(BY_HAND)
    assert load_catalogue(FILE)["no"].name == "no", "not the word that YAML takes for false"
    after = FILE.read_text()
    assert aftersale("products", "--write", "--json").json["added"] == []
    assert FILE.read_text() == after


@pytest.mark.parametrize("words", [("import", "new.csv"), ("products", "--write", "--from", "new.csv")])
def test_a_file_of_products(aftersale: Aftersale, sold: Path, words: tuple[str, ...]) -> None:
    Path("new.csv").write_text(
        "sku,name,kind,price,tags,units\n"
        "no,A small loaf: the first,physical,5.50,bread|small,\n"
        "guide,Another name,,8,,\n"
        "007,Seven,,,,a|b\n"
        "bad,Bad,thing,,,\n"
    )
    said = aftersale(*words)
    assert said.code == 0, said.err
    assert "describes otherwise" in said.out
    assert FILE.read_text().startswith(BY_HAND)
    assert "price: 5.50\n" in FILE.read_text()
    catalogue = load_catalogue(FILE)
    assert list(catalogue) == ["guide", "no", "007"]
    assert (catalogue["guide"].name, catalogue["no"].name) == ("The Guide", "A small loaf: the first")
    assert (catalogue["no"].kind, catalogue["no"].tags) == ("physical", ("bread", "small"))
    assert list(catalogue["007"].units) == ["a", "b"]
    again = aftersale("import", "new.csv", "--json").json["files"][0]
    assert (again["inserted"], again["unchanged"], again["rejected"]) == (0, 3, 1)


@pytest.mark.parametrize("text", ["", "products:\n", "# none yet\n", None])
def test_a_catalogue_without_a_product(aftersale: Aftersale, sold: Path, text: str | None) -> None:
    FILE.unlink()
    if text is not None:
        FILE.write_text(text)
    assert aftersale("products", "--write").code == 0
    assert FILE.read_text().startswith(text or "products:")
    assert set(load_catalogue(FILE)) == {"guide", "no"}


@pytest.mark.parametrize("text", ["products: {guide: {name: G}}\n", "products: {}\n"])
def test_a_catalogue_that_cannot_grow_stays_as_it_is(aftersale: Aftersale, sold: Path, text: str) -> None:
    FILE.write_text(text)
    said = aftersale("products", "--write")
    assert said.code == 1
    assert "products cannot be added" in said.err
    assert FILE.read_text() == text


def test_products_and_orders_in_one_import_know_each_other(aftersale: Aftersale, sold: Path) -> None:
    Path("new.csv").write_text("sku,name\nno,A small loaf\n")
    Path("orders.csv").write_text(ORDERS.replace(",5\n", ",6\n"))
    found = aftersale("import", "orders.csv", "new.csv", "--json").json["files"]
    assert [(each["kind"], each["notes"]) for each in found] == [("products", []), ("orders", [])]


@pytest.mark.parametrize("words", [("--from", "x.csv"), ("--write", "--map", "m.yaml")])
def test_how_it_is_not_called(aftersale: Aftersale, sold: Path, words: tuple[str, ...]) -> None:
    assert aftersale("products", *words).code == 2


@pytest.mark.parametrize(
    ("currency", "price", "told"),
    [
        ("EUR", "1.005", "price: 1.005 has more decimals than EUR, which has 2"),
        ("EUR", "1.50", ""),
        ("JPY", "1500.0", ""),
        ("JPY", "0.5", "price: 0.5 has more decimals than JPY, which has none"),
        ("KWD", "1.005", ""),
    ],
)
def test_an_amount_finer_than_the_smallest_coin(
    aftersale: Aftersale, sold: Path, monkeypatch: pytest.MonkeyPatch, currency: str, price: str, told: str
) -> None:
    monkeypatch.setenv("AFTERSALE_SHOP__CURRENCY", currency)
    FILE.write_text(BY_HAND.replace("7.00", price))
    found = [line for line in aftersale("check").err.splitlines() if "decimals" in line]
    assert found == ([f"{FILE}:5:9: {told}"] if told else [])


def test_an_imported_price_finer_than_the_smallest_coin(aftersale: Aftersale, sold: Path) -> None:
    Path("new.csv").write_text("sku,name,price\nfine,Fine,1.005\nok,Ok,1.50\n")
    assert aftersale("products", "--write", "--from", "new.csv").code == 0
    assert "fine:" not in FILE.read_text()
    assert "  ok:" in FILE.read_text()

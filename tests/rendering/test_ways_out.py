"""The ways out in the header of a mail are read by mail programs, which know nothing but ASCII there."""

import pytest

from engine.facts.catalogue import Catalogue
from engine.rendering.context import Surroundings
from engine.settings.model import Settings
from engine.settings.shop import Sender


@pytest.mark.parametrize(
    ("address", "said"),
    [
        ("leave@loaf.example", "leave@loaf.example"),
        ("leave+all@loaf.example", "leave+all@loaf.example"),
        ("leave@bücher.example", "leave@xn--bcher-kva.example"),
        ("tschüß@straße.example", "tsch%C3%BC%C3%9F@xn--strae-oqa.example"),
        ("a&b@loaf.example", "a%26b@loaf.example"),
    ],
)
def test_by_mail(address: str, said: str) -> None:
    surroundings = Surroundings(Settings(sender=Sender(unsubscribe=address)), Catalogue([]))
    assert surroundings.unsubscribe_mailto("7") == f"mailto:{said}?subject=unsubscribe%207"

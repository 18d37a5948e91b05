"""An ear for each database."""

import pytest

from engine.store.connect import Store
from tests.receiving.ear import Ear


@pytest.fixture
def ear(store: Store) -> Ear:
    return Ear(store)

"""What the stories and the daemon's tests have, the web's tests have as well."""

from tests.daemon.conftest import small_shop
from tests.stories.conftest import aftersale

__all__ = ["aftersale", "small_shop"]

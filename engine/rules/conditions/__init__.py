"""The menu of conditions: one file and one line each."""

from collections.abc import Mapping

from engine.registry import Menu
from engine.rules.conditions.attribute import Attribute
from engine.rules.conditions.bought import Bought
from engine.rules.conditions.consumed import Consumed
from engine.rules.conditions.last_order import LastOrder
from engine.rules.conditions.ordered import Ordered
from engine.rules.conditions.segment import Segment
from engine.rules.conditions.spent import Spent
from engine.rules.model import Condition

CONDITIONS: Menu[type[Condition]] = Menu(
    "condition",
    {
        "bought": Bought,
        "ordered": Ordered,
        "spent": Spent,
        "last_order": LastOrder,
        "consumed": Consumed,
        "attribute": Attribute,
        "segment": Segment,
    },
)

LATER: Mapping[str, str] = {  # known words that this version cannot judge yet
    "first_order": "use ordered or last_order",
    "started": "use consumed",
    "subscribed": "subscriptions are not imported yet",
    "then": "use two bought conditions",
    "offered": "front-end offers are not recorded yet",
    "source": "traffic sources are not judged yet",
    "received": "use a campaign's own steps",
    "opened": "nothing comes back from mail providers yet",
    "clicked": "nothing comes back from mail providers yet",
    "tier": "loyalty tiers are not kept yet",
    "score": "scores are not computed yet",
}

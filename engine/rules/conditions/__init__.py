"""The menu of conditions: one file and one line each."""

from collections.abc import Mapping

from engine.registry import Menu
from engine.rules.conditions.attribute import Attribute
from engine.rules.conditions.bought import Bought
from engine.rules.conditions.clicked import Clicked
from engine.rules.conditions.consumed import Consumed
from engine.rules.conditions.first_order import FirstOrder
from engine.rules.conditions.last_order import LastOrder
from engine.rules.conditions.offered import Offered
from engine.rules.conditions.opened import Opened
from engine.rules.conditions.ordered import Ordered
from engine.rules.conditions.received import Received
from engine.rules.conditions.segment import Segment
from engine.rules.conditions.source import Source
from engine.rules.conditions.spent import Spent
from engine.rules.conditions.started import Started
from engine.rules.conditions.subscribed import Subscribed
from engine.rules.conditions.then import Then
from engine.rules.model import Condition

CONDITIONS: Menu[type[Condition]] = Menu(
    "condition",
    {
        "bought": Bought,
        "ordered": Ordered,
        "spent": Spent,
        "first_order": FirstOrder,
        "last_order": LastOrder,
        "then": Then,
        "started": Started,
        "consumed": Consumed,
        "subscribed": Subscribed,
        "offered": Offered,
        "received": Received,
        "opened": Opened,
        "clicked": Clicked,
        "attribute": Attribute,
        "source": Source,
        "segment": Segment,
    },
)

LATER: Mapping[str, str] = {  # known words that this version cannot judge yet
    "tier": "loyalty tiers are not kept yet",
    "score": "scores are not computed yet",
}

IN_TEMPLATES: Mapping[str, str] = {  # words of templates, and what a rule says instead
    "owned": "a rule says bought, or subscribed for a subscription; owned(…) is a word of templates",
    "not_consumed": "a rule says not: {consumed: …}; not_consumed(…) is a word of templates",
}

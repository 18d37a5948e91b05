"""The Segment spec: identify, track, page, screen, alias, group; one message at a time or in batches.

Of `track` the events of ecommerce v2 are known, those of offers, of lessons and of consent. Whatever else is
tracked is kept and ignored.
"""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from decimal import Decimal, InvalidOperation
from typing import Any, NamedTuple

from engine.facts.receiving.devices import BOT, DESKTOP, MOBILE, device_of
from engine.facts.receiving.parts import filled, first, items, moment, part, scalars, text
from engine.facts.receiving.saying import Fact, Fields, NotUnderstood, NotWanted, OfOrder, Said
from engine.facts.receiving.sources.source import Events, Source

NAME = "segment"
ENDPOINTS = ("identify", "track", "page", "screen", "alias", "group")
OFF = timedelta(minutes=1)  # a sender's clock that differs by more is set right
HELD = timedelta(days=30)  # how long a sender may hold back what happened
LONGEST_STAGE = 60
PROPERTIES = {
    "firstName": "first_name",
    "first_name": "first_name",
    "lastName": "last_name",
    "last_name": "last_name",
    "locale": "locale",
    "timezone": "timezone",
}
NO_ATTRIBUTES = (*PROPERTIES, "email", "id", "country", "createdAt", "created_at")


class Message(NamedTuple):
    """One message, and what all kinds of them have in common."""

    said: Mapping[str, Any]
    at: str
    who: Fields
    properties: Mapping[str, Any]

    @property
    def id(self) -> str:
        return text(self.said.get("messageId")) or self.at

    def get(self, *names: str) -> str:
        return first(self.properties, *names)


Kind = Callable[[Message], Said]


def events(path: str, body: Any) -> Events:
    """The messages of a request to /v1/`path`, each with its id. Raises ValueError for an odd body."""
    if not isinstance(body, Mapping):
        msg = "the body is no object"
        raise ValueError(msg)
    if path != "batch":
        return [(body.get("messageId"), {**body, "type": path})]
    batch = body.get("batch")
    if not isinstance(batch, list):
        msg = "batch is no list"
        raise ValueError(msg)
    of_all = {name: body[name] for name in ("sentAt", "context") if name in body}
    return [
        (each.get("messageId"), _within(each, of_all)) if isinstance(each, Mapping) else (None, each)
        for each in batch  # what is no message is parked, and takes no other with it
    ]


def _within(message: Mapping[str, Any], of_all: Mapping[str, Any]) -> Mapping[str, Any]:
    context = {**part(of_all, "context"), **part(message, "context")}
    return {**of_all, **message, **({"context": context} if context else {})}


def _read(event: Any, received_at: datetime) -> Said:
    said = part(event)
    kind = text(said.get("type")).lower()
    if kind not in ENDPOINTS:
        msg = f"type is none of {', '.join(ENDPOINTS)}"
        raise NotUnderstood(msg)
    make = KINDS.get(kind)
    if make is None:
        return []
    message = Message(said, _at(said, received_at).isoformat(), {}, part(said, "properties"))
    return make(message._replace(who=_who(message)))


def _at(said: Mapping[str, Any], received_at: datetime) -> datetime:
    """When it happened, by our clock: as long ago as it was when it was sent, by the sender's.

    A sender that sent it before it happened, or held it back for ages, tells the two by different clocks.
    Nothing has happened later than it came.
    """
    at = moment(said.get("timestamp")) or moment(said.get("originalTimestamp")) or received_at
    sent = moment(said.get("sentAt"))
    if sent is not None and abs(received_at - sent) > OFF and timedelta() <= sent - at <= HELD:
        return received_at - (sent - at)
    return min(at, received_at)


def _who(message: Message) -> Fields:
    """A user id that is an address is one; what else is known of the address is asked for it."""
    said, user = message.said, text(message.said.get("userId"))
    places = (part(said, "traits"), part(said, "context", "traits"), message.properties)
    address = next(filter(None, (first(each, "email") for each in places)), "")
    return filled({
        "email": user if "@" in user else address,
        "shop_id": "" if "@" in user else user,
        "anonymous_id": text(said.get("anonymousId")),
    })  # fmt: skip


def _identify(message: Message) -> Said:
    traits = {**part(message.said, "context", "traits"), **part(message.said, "traits")}
    fields = {ours: text(traits[theirs]) for theirs, ours in PROPERTIES.items() if theirs in traits}
    country = first(part(traits, "address"), "country") or first(traits, "country")
    rest = {f"attribute.{name}": said for name, said in scalars(traits) if name not in NO_ATTRIBUTES}
    times = {"known_at": message.at, "updated_at": message.at}
    return [Fact("customers", filled({**rest, **fields, "country": country, **message.who, **times}))]


def _alias(message: Message) -> Said:
    """The earlier name is an anonymous one: two known people never become one."""
    before = text(message.said.get("previousId"))
    if not before:
        msg = "previousId is missing"
        raise NotUnderstood(msg)
    earlier = {"email": before} if "@" in before else {"anonymous_id": before}
    return [Fact("customers", {**message.who, **earlier, "known_at": message.at})]


def _page(message: Message) -> Said:
    """A page is a stage of the funnel by its name, else by its path: the first that is short enough."""
    name = text(message.said.get("name"))
    path = message.get("path") or first(part(message.said, "context", "page"), "path")
    return _visit(message, message.get("stage"), name, path)


def _visit(message: Message, *stages: str) -> Said:
    """What names no stage is nobody's mistake: some titles are long."""
    named = next((stage for stage in stages if 0 < len(stage) <= LONGEST_STAGE), None)
    if named is None:
        msg = f"it names no stage of at most {LONGEST_STAGE} characters"
        raise NotWanted(msg)
    return [_funnel(message, "visited", stage=named)]


def _funnel(message: Message, what: str, **more: str) -> Fact:
    context = part(message.said, "context")
    came = part(context, "campaign")
    return Fact("funnel", {
        **message.who,
        "what": what,
        "at": message.at,
        "checkout_id": message.get("checkout_id", "checkoutId"),
        "source": first(came, "source"),
        "medium": first(came, "medium"),
        "campaign": first(came, "name"),
        "ad": first(came, "content"),
        "device": _device(context),
        **more,
    })  # fmt: skip


def _device(context: Mapping[str, Any]) -> str:
    """An app tells it by itself, a browser by its name, or a hint beside that. A machine is one anywhere."""
    agent = device_of(first(context, "userAgent"))
    if agent != BOT and first(part(context, "device"), "type").lower() in ("ios", "android"):
        return MOBILE
    hint = part(context, "userAgentData").get("mobile")
    return agent or (MOBILE if hint is True else DESKTOP if hint is False else "")


def _track(message: Message) -> Said:
    name = " ".join(text(message.said.get("event")).lower().replace("_", " ").split())
    make = TRACKED.get(name)
    return make(message) if make else []


def _happened(what: str) -> Kind:
    return lambda message: [_funnel(message, what)]


def _stage(stage: str) -> Kind:
    """A step of the checkout, numbered where it is."""
    return lambda message: _visit(message, " ".join(filter(None, (stage, message.get("step")))))


def _offer(what: str) -> Kind:
    def make(message: Message) -> Said:
        return [_funnel(message, what, sku=_product(message.properties), stage=message.get("stage"))]

    return make


def _product(said: Mapping[str, Any]) -> str:
    return first(said, "sku", "product_id", "productId", "course_id", "courseId")


def _order(message: Message) -> Said:
    return [_of_order(message)]


def _completed(message: Message) -> Said:
    """An update may leave out what it does not change; a sale is of something."""
    if not items(message.properties.get("products")):
        msg = "products is missing, or no list of products"
        raise NotUnderstood(msg)
    return _order(message)


def _of_order(message: Message) -> OfOrder:
    came = part(message.said, "context", "campaign")
    head = {
        **message.who,
        "order_total": message.get("total", "revenue", "value"),
        "currency": message.get("currency"),
        "checkout_id": message.get("checkout_id", "checkoutId"),
        "source": first(came, "source"),
        "medium": first(came, "medium"),
        "campaign": first(came, "name"),
    }
    products = items(message.properties.get("products"))
    lines = _lines(message, products) if products else None
    return OfOrder(_ref(message), message.at, filled(head), lines)


def _ref(message: Message) -> str:
    ref = message.get("order_id", "orderId")
    if not ref:
        msg = "order_id is missing"
        raise NotUnderstood(msg)
    return ref


def _lines(message: Message, products: Sequence[Mapping[str, Any]]) -> Sequence[Fields]:
    """No price has to be told, says the specification. Of a single product it is what the order brought."""
    if all(first(each, "price") for each in products):
        return [_line(each) for each in products]
    if len(products) > 1:
        msg = "price of a product is missing, and of several products the order does not tell it"
        raise NotUnderstood(msg)
    brought = message.get("revenue", "subtotal", "total", "value")
    if not brought:
        msg = "price of its product is missing, and so are revenue and total"
        raise NotUnderstood(msg)
    return [{**_line(products[0]), "amount": brought}]


def _line(product: Mapping[str, Any]) -> Fields:
    return filled({
        "sku": _product(product),
        "quantity": first(product, "quantity"),
        "unit_price": first(product, "price"),
        "position": first(product, "offer"),
    })  # fmt: skip


def _refunded(message: Message) -> Said:
    """What is named went back; without any product the order as a whole, or that much of it."""
    total, refund = message.get("total", "value", "revenue"), message.get("refund_id") or message.id
    products = items(message.properties.get("products"))
    if len(products) > 1 and not total:
        backs = {f"{refund}/{_product(each)}": _gone(message, each, _priced(each)) for each in products}
    elif len(products) == 1:
        backs = {refund: _gone(message, products[0], total or _priced(products[0]))}
    else:
        backs = {refund: _gone(message, {}, total)}
    return [OfOrder(_ref(message), message.at, refunds=backs)]


def _gone(message: Message, product: Mapping[str, Any], amount: str) -> Fields:
    money = {"amount": amount, "currency": message.get("currency")}
    return filled({"at": message.at, "sku": _product(product), **money})


def _priced(product: Mapping[str, Any]) -> str:
    """The price of all pieces of it; what is no number stays so, and is told of later."""
    price, pieces = first(product, "price"), first(product, "quantity")
    try:
        return f"{Decimal(price) * Decimal(pieces):f}" if price and pieces else price
    except InvalidOperation:
        return price


def _cancelled(message: Message) -> Said:
    return [OfOrder(_ref(message), message.at, cancelled=message.at)]


def _lesson(kind: str) -> Kind:
    def make(message: Message) -> Said:
        fields = {
            **message.who,
            "sku": _product(message.properties),
            "unit": message.get("unit", "lesson_id", "lessonId", "lesson"),
            "kind": kind,
            "at": message.at,
            "progress": message.get("progress", "percent"),
        }
        return [Fact("consumption", filled(fields))]

    return make


def _consent(granted: str) -> Kind:
    def make(message: Message) -> Said:
        words = {name: message.get(name) for name in ("topic", "basis", "source")}
        return [Fact("consent", filled({**message.who, **words, "at": message.at, "granted": granted}))]

    return make


KINDS: Mapping[str, Kind] = {"identify": _identify, "track": _track, "page": _page, "alias": _alias}
TRACKED: Mapping[str, Kind] = {
    "checkout started": _happened("checkout_started"),
    "checkout step viewed": _stage("checkout step"),
    "checkout step completed": _stage("checkout step completed"),
    "payment info entered": _stage("payment info entered"),
    "funnel completed": _happened("completed"),
    "order fulfilled": _happened("released"),
    "order completed": _completed,
    "order updated": _order,
    "order refunded": _refunded,
    "order cancelled": _cancelled,
    **{f"{word} {said}": _offer(what)
       for word in ("offer", "product offer")
       for said, what in (
           ("shown", "offer_shown"), ("viewed", "offer_shown"), ("accepted", "offer_accepted"),
           ("refused", "offer_refused"), ("declined", "offer_refused"),
       )},
    "lesson started": _lesson("started"),
    "lesson progressed": _lesson("progressed"),
    "lesson completed": _lesson("completed"),
    "consent given": _consent("yes"),
    "consent withdrawn": _consent("no"),
    "unsubscribed": _consent("no"),
}  # fmt: skip
SOURCE = Source(NAME, "write_key", _read)

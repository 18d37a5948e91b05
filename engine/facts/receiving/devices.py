"""What somebody looked with, as their browser names itself; and whether that was somebody."""

import re

BOT, TABLET, MOBILE, DESKTOP = "bot", "tablet", "mobile", "desktop"
MACHINES = ("curl/", "wget/", "python", r"\bjava/", "axios", "go-http-client", "facebookexternalhit")
_KINDS = {  # the first that fits
    BOT: (r"(?<!cu)bots?\b", "crawl", "spider", "slurp", "headless", "lighthouse", "preview", *MACHINES),
    TABLET: ("ipad", "tablet", "kindle", "silk/", "playbook", "android(?!.*mobile)"),
    MOBILE: ("mobi", "iphone", "ipod", "android"),
    DESKTOP: ("windows", "macintosh", "x11", "linux", "cros"),
}
_TOLD = [(kind, re.compile("|".join(words), re.IGNORECASE)) for kind, words in _KINDS.items()]
LONGEST = 500


def device_of(agent: str) -> str:
    """The device by a user agent; '' where that does not say."""
    said = agent[:LONGEST]
    return next((kind for kind, words in _TOLD if words.search(said)), "")

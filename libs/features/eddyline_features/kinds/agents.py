"""What user agents call themselves: a small table of our own.

Not the public collection of patterns (``ua-parser``): it takes hundreds of expressions and up to a millisecond for each
new text, and each of its releases may put an agent elsewhere, so that a replay would give other vectors than were
served. These few tokens tell what ranking needs, in about two microseconds, and stay as they are until
`FOLD_FORMAT` changes. See docs/adr/0071.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from eddyline_features.declarations.user_agent import AGENT_WORDS, UserAgent
from eddyline_features.field_values import NAN
from eddyline_features.plan import Decode, Encode

MAX_CHARS = 512
"""Of a longer text, only the beginning is looked at."""

# Each is read from top to bottom, the first that is in the text counts: who imitates another stands before it.
_TVS = ("smart-tv", "smarttv", "smart tv", "appletv", "apple tv", "googletv", "google tv", "android tv", "hbbtv",
        "crkey", "roku", "bravia", "netcast", "tizen tv", "web0s", "webos.tv", "; aft")  # fmt: skip
_OS = (
    ("windows phone", "other"), ("iphone", "ios"), ("ipad", "ios"), ("ipod", "ios"), ("android", "android"),
    ("windows", "windows"), ("(x11; cros", "chromeos"), ("mac os x", "macos"), ("macintosh", "macos"),
    ("linux", "linux"), ("x11", "linux"),
)  # fmt: skip
_BROWSERS = (
    ("edg/", "edge"), ("edge/", "edge"), ("edga/", "edge"), ("edgios/", "edge"), ("opr/", "opera"),
    ("opera", "opera"), ("opios/", "opera"), ("opt/", "opera"), ("samsungbrowser/", "samsung"), ("yabrowser/", "other"),
    ("ucbrowser/", "other"), ("vivaldi/", "other"), ("silk/", "other"), ("fban/", "other"), ("fbav/", "other"),
    ("firefox/", "firefox"), ("fxios/", "firefox"), ("msie ", "ie"), ("trident/", "ie"), ("chrome/", "chrome"),
    ("crios/", "chrome"), ("chromium/", "chrome"), ("safari/", "safari"),
)  # fmt: skip
_BOTS = (
    "bot", "crawl", "spider", "slurp", "mediapartners", "externalhit", "headless", "lighthouse", "phantomjs",
    "pingdom", "scrap", "curl/", "wget/", "python-", "python/", "aiohttp", "go-http-client", "java/", "libwww",
    "httpclient", "http_client", "node-fetch", "axios/", "feedfetcher", "bingpreview", "validator",
)  # fmt: skip
_NO_BOTS = ("cubot",)
"""Makers of telephones."""


@lru_cache(maxsize=4096)
def told_by(text: str) -> dict[str, str]:
    """What a user agent says of itself, by output; ``bot`` is ``yes`` or ``no``."""
    agent = text.lower()
    named = agent
    for maker in _NO_BOTS:
        named = named.replace(maker, "")
    return {
        "platform": _platform(agent),
        "os": next((os for token, os in _OS if token in agent), "other"),
        "browser": next((browser for token, browser in _BROWSERS if token in agent), "other"),
        "bot": "yes" if any(token in named for token in _BOTS) else "no",
    }


def _platform(agent: str) -> str:
    if any(token in agent for token in _TVS):
        return "tv"
    # An Android without `Mobile` is a tablet, by the advice of its makers.
    phone = "mobile" in agent or "opera mini" in agent
    if "ipad" in agent or "tablet" in agent or "kindle" in agent or ("android" in agent and not phone):
        return "tablet"
    if phone or "iphone" in agent or "ipod" in agent or "windows phone" in agent:
        return "mobile"
    if any(token in agent for token in ("windows", "macintosh", "x11", "linux")):
        return "desktop"
    return "other"


def encoded_agent(feature: UserAgent) -> tuple[Encode, Decode]:
    """From a text to the feature's columns; what is no text, or an empty one, is unknown."""
    outputs, one_hot, width = feature.outputs, feature.one_hot, len(feature.columns)

    def encode(value: Any) -> list[float]:
        if not isinstance(value, str) or not value:
            return [NAN] * width
        told = told_by(value[:MAX_CHARS])
        columns: list[float] = []
        for output in outputs:
            words, word = AGENT_WORDS.get(output), told[output]
            if words is None:
                columns.append(float(word == "yes"))
            elif one_hot:
                columns += [float(word == one) for one in words]
            else:
                columns.append(float(words.index(word)))
        return columns

    if width == 1:
        return lambda value: encode(value)[0], lambda column: {feature.columns[0]: column}
    return (
        encode,
        lambda columns: (
            {name: column for name, column in zip(feature.columns, columns, strict=True) if column == column}
            or None
        ),
    )

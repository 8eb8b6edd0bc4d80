"""Which medium a page belongs to, by its host: a small table of our own (docs/adr/0071 says why).

It stays as it is until `FOLD_FORMAT` changes.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import Any

from eddyline_features.declarations.referer import MEDIA, Referer
from eddyline_features.field_values import NAN
from eddyline_features.plan import Decode, Encode

_BY_MEDIUM = {
    "search": """google.* bing.com yahoo.* duckduckgo.com yandex.* ya.ru baidu.com ecosia.org qwant.com startpage.com
        search.brave.com ask.com naver.com daum.net seznam.cz sogou.com so.com kagi.com mojeek.com swisscows.com
        perplexity.ai search.aol.com metager.org metager.de lycos.com dogpile.com presearch.com rambler.ru
        com.google.android.googlequicksearchbox""",
    "social": """facebook.com fb.com fb.me messenger.com instagram.com twitter.com t.co x.com linkedin.com lnkd.in
        pinterest.* pin.it reddit.com redd.it tiktok.com youtube.com youtu.be vk.com ok.ru tumblr.com snapchat.com
        whatsapp.com wa.me telegram.org t.me threads.net threads.com bsky.app mastodon.social quora.com weibo.com
        weibo.cn discord.com discordapp.com xing.com news.ycombinator.com line.me flickr.com vimeo.com twitch.tv
        meetup.com nextdoor.com zhihu.com douyin.com mixi.jp kakao.com com.facebook.katana com.instagram.android
        com.twitter.android com.linkedin.android com.reddit.frontpage org.telegram.messenger""",
    "email": """mail.google.com mail.yahoo.* mail.yandex.* outlook.com outlook.live.com outlook.office.com
        outlook.office365.com hotmail.com mail.live.com e.mail.ru mail.ru mail.proton.me protonmail.com gmx.* web.de
        mail.aol.com fastmail.com mail.zoho.com mail.163.com mail.qq.com mail.naver.com mail.icloud.com
        orange.fr tutanota.com mail.tutanota.com com.google.android.gm com.microsoft.office.outlook""",
    "paid": """googleadservices.com doubleclick.net googlesyndication.com taboola.com outbrain.com criteo.com
        criteo.net adnxs.com""",
}
_HOSTS = {host: medium for medium, hosts in _BY_MEDIUM.items() for host in hosts.split()}
"""By host, of which subdomains are too unless they stand here themselves. ``.*`` is any country's ending."""
MAX_CHARS = 253
"""A host's name has no more."""
_SECOND_LEVELS = ("co", "com", "net", "org", "gob", "gov")


def host_of(url: str) -> str:
    """The host of an address, in lower case, without port; empty where there is none."""
    scheme, mark, rest = url.strip().partition("://")
    if not mark:
        rest = scheme
    for end in "/?#\\":
        rest = rest.partition(end)[0]
    host = rest.rpartition("@")[2].partition(":")[0].lower().rstrip(".")
    return host if "." in host and " " not in host else ""


@lru_cache(maxsize=4096)
def medium_of(host: str) -> str:
    """The medium of a host; ``other`` where the table has none. The longest name that fits counts."""
    labels = host.split(".")
    n_ending = 1
    if len(labels) > 2 and len(labels[-1]) == 2 and labels[-2] in _SECOND_LEVELS:
        n_ending = 2
    for start in range(len(labels) - 1):
        found = _HOSTS.get(".".join(labels[start:]))
        if found is None and start < len(labels) - n_ending:
            found = _HOSTS.get(".".join(labels[start:-n_ending]) + ".*")
        if found is not None:
            return found
    return "other"


def encoded_referer(feature: Referer) -> tuple[Encode, Decode]:
    """From an address to the feature's columns; what is no address is unknown."""
    own = tuple(f".{host}" for host in feature.internal)

    def code(value: Any) -> int:
        host = host_of(value) if isinstance(value, str) else ""
        if not host:
            return -1
        # The dot in front makes a host one of its own subdomains, and no other name's end.
        return MEDIA.index("internal" if own and f".{host}".endswith(own) else medium_of(host[-MAX_CHARS:]))

    if feature.one_hot:
        return _one_hot(code), lambda columns: next(
            (m for m, c in zip(MEDIA, columns, strict=True) if c == 1), None
        )

    def index(value: Any) -> float:
        found = code(value)
        return NAN if found < 0 else float(found)

    return index, lambda column: MEDIA[int(column)]


def _one_hot(code: Callable[[Any], int]) -> Encode:
    def encode(value: Any) -> list[float]:
        found = code(value)
        return [NAN if found < 0 else float(found == place) for place in range(len(MEDIA))]

    return encode

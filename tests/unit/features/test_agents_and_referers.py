"""What browsers say that they are, and from where people come."""

from __future__ import annotations

import math
from typing import Any

import pytest

from eddyline_features.declarations.referer import MEDIA
from eddyline_features.declarations.user_agent import AGENT_WORDS
from eddyline_features.view import ViewError
from tests.support.builders import a_log, a_user
from tests.unit.features.reading import a_state, columns

KIT = "AppleWebKit/537.36 (KHTML, like Gecko)"
AGENTS = [
    (f"Mozilla/5.0 (Windows NT 10.0; Win64; x64) {KIT} Chrome/131.0.0.0 Safari/537.36", "desktop windows chrome no"),
    (f"Mozilla/5.0 (Windows NT 10.0; Win64; x64) {KIT} Chrome/99.0 Safari/537.36 Edg/98.0", "desktop windows edge no"),
    ("Mozilla/5.0 (Macintosh; Intel Mac OS X 12_2_1) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/15.2 "
     "Safari/605.1.15", "desktop macos safari no"),
    ("Mozilla/5.0 (iPhone; CPU iPhone OS 15_3_1 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) "
     "Version/15.2 Mobile/15E148 Safari/604.1", "mobile ios safari no"),
    ("Mozilla/5.0 (iPad; CPU OS 15_3 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) CriOS/99.0 "
     "Mobile/15E148 Safari/604.1", "tablet ios chrome no"),
    (f"Mozilla/5.0 (Linux; Android 10; LM-Q720) {KIT} Chrome/99.0 Mobile Safari/537.36", "mobile android chrome no"),
    (f"Mozilla/5.0 (Linux; Android 13; SM-X700) {KIT} SamsungBrowser/20.0 Chrome/106.0 Safari/537.36",
     "tablet android samsung no"),
    (f"Mozilla/5.0 (Linux; Android 9; AFTWMST22) {KIT} Silk/130.1 like Chrome/130.0 Safari/537.36",
     "tv android other no"),
    (f"Mozilla/5.0 (X11; CrOS x86_64 14541.0.0) {KIT} Chrome/129.0 Safari/537.36", "desktop chromeos chrome no"),
    ("Mozilla/5.0 (X11; Ubuntu; Linux x86_64; rv:133.0) Gecko/20100101 Firefox/133.0", "desktop linux firefox no"),
    (f"Mozilla/5.0 (X11; Linux x86_64) {KIT} Chrome/130.0 Safari/537.36 OPR/115.0", "desktop linux opera no"),
    ("Mozilla/5.0 (Windows NT 6.1; Trident/7.0; rv:11.0) like Gecko", "desktop windows ie no"),
    ("Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)", "other other other yes"),
    (f"Mozilla/5.0 (Linux; Android 11; CUBOT NOTE 20) {KIT} Chrome/99.0 Mobile Safari/537.36",
     "mobile android chrome no"),
    (f"Mozilla/5.0 (X11; Linux x86_64) {KIT} HeadlessChrome/130.0 Safari/537.36", "desktop linux chrome yes"),
    ("curl/8.5.0", "other other other yes"),
    ("x" * 100_000, "other other other no"),
]  # fmt: skip


@pytest.mark.parametrize(("agent", "told"), AGENTS)
def test_an_agent_tells_platform_system_and_browser(agent: str, told: str) -> None:
    state = a_state(
        "name: ua, kind: user_agent",
        "name: hot, kind: user_agent, field: context.user_agent, encode: one-hot",
    )
    found = columns(state, context={"user_agent": agent})
    platform, os, browser, bot = told.split()
    assert (found["ua_bot"], found["hot_bot"]) == (float(bot == "yes"),) * 2
    for output, word in (("platform", platform), ("os", os), ("browser", browser)):
        words = AGENT_WORDS[output]
        assert words[int(found[f"ua_{output}"])] == word
        assert [one for one in words if found[f"hot_{output}={one}"] == 1.0] == [word]


@pytest.mark.parametrize("value", [None, "", 7, [], {}])
def test_what_is_no_text_says_nothing(value: Any) -> None:
    state = a_state(
        "name: ua, kind: user_agent", "name: ref, kind: referer", "name: hot, kind: referer, encode: one-hot"
    )
    found = columns(state, context={"user_agent": value, "referer": value})
    assert all(math.isnan(column) for column in found.values())


@pytest.mark.parametrize(
    ("address", "medium"),
    [
        ("https://www.google.com/", "search"), ("http://www.google.co.uk:80/search?q=a", "search"),
        ("https://google.de", "search"), ("www.bing.com/search?q=x", "search"),
        ("https://search.yahoo.co.jp/", "search"), ("https://" + "a." * 9_000 + "google.de", "search"),
        ("https://mail.google.com/mail/u/0", "email"), ("https://mail.yahoo.com", "email"),
        ("android-app://com.google.android.gm/", "email"), ("https://l.facebook.com/l.php?u=x", "social"),
        ("https://T.CO/abc", "social"), ("https://user:word@old.reddit.com#a", "social"),
        ("https://googleads.g.doubleclick.net/x", "paid"), ("https://shop.example/cart", "internal"),
        ("https://de.shop.example./cart", "internal"), ("https://myshop.example", "other"),
        ("https://google.evil.example", "other"), ("https://netflix.com", "other"), ("https://xgoogle.com", "other"),
        ("https://a.b", "other"),
    ],
)  # fmt: skip
def test_a_referer_is_of_the_medium_of_its_host(address: str, medium: str) -> None:
    state = a_state(
        "name: ref, kind: referer, internal: [shop.example]",
        "name: hot, kind: referer, internal: shop.example, encode: one-hot",
    )
    found = columns(state, context={"referer": address})
    assert MEDIA[int(found["ref"])] == medium
    assert [one for one in MEDIA if found[f"hot={one}"] == 1.0] == [medium]


@pytest.mark.parametrize(
    "address", ["https://", "about:blank", "localhost", "what is it?", "a b.c", "://", "https:///x"]
)
def test_what_names_no_host_is_unknown(address: str) -> None:
    found = columns(a_state("name: ref, kind: referer"), context={"referer": address})
    assert math.isnan(found["ref"])


def test_both_may_be_kept_of_the_user() -> None:
    state = a_state(
        "name: ua, kind: user_agent, field: user.agent, outputs: [os]",
        "name: ref, kind: referer, field: user.came_from",
        events=a_log(a_user(agent=AGENTS[0][0], came_from="https://duckduckgo.com/")),
    )
    assert columns(state) == {"ua_os": AGENT_WORDS["os"].index("windows"), "ref": 0.0}
    told = state.user("u1")
    assert told is not None
    assert told["fields"]["came_from"] == "search"


def test_columns_of_codes_are_categorical_and_others_are_not() -> None:
    view = a_state(
        "name: price, kind: number, field: item.price",
        "name: ua, kind: user_agent, outputs: [bot, os, platform]",
        "name: hot, kind: user_agent, encode: one-hot",
        "name: ref, kind: referer",
        "name: hot_ref, kind: referer, encode: one-hot",
        "name: brand, kind: categories, field: item.brand",
    ).view
    assert [view.columns[column] for column in view.categorical_columns] == [
        "ua_os",
        "ua_platform",
        "ref",
        "brand",
    ]


@pytest.mark.parametrize(
    ("feature", "told"),
    [
        ("kind: user_agent, field: item.x", "it belongs to who asks: context.<field>, or user.<field>"),
        ("kind: user_agent, outputs: [system]", "use one of platform, os, browser, bot"),
        (
            "kind: referer, internal: [https://shop.example/]",
            "the name of a host is expected, as shop.example",
        ),
        ("kind: referer, internal: [a.b, a.b]", "names something twice"),
        ("kind: referer, ttl: 1d", "`features[0].ttl` is unknown"),
    ],
)
def test_mistakes_are_told_with_their_remedy(feature: str, told: str) -> None:
    with pytest.raises(ViewError) as caught:
        a_state(f"name: t, {feature}")
    assert told in str(caught.value)

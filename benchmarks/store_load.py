"""The processes that `store.py` measures with: ``python -m benchmarks.store_load NAME ARGUMENTS``.

Everything that can be is made before the clock starts, so that the processes measured have the cores to themselves.
"""

from __future__ import annotations

import asyncio
import gc
import hashlib
import itertools
import json
import os
import random
import sys
import time
from collections.abc import Iterator
from typing import Any

import nats
import uvloop
from nats.aio.client import Client
from nats.aio.msg import Msg

from benchmarks.made_up import N_ITEMS, N_USERS, a_request
from eddyline_contracts.events import (
    Event,
    InteractionRecorded,
    ItemUpserted,
    SlateItem,
    SlateServed,
    UserUpserted,
    encode,
    type_of,
)
from eddyline_contracts.record import decode_batch
from eddyline_contracts.subjects import COMMITTED, MSG_ID, event_subject, message_id, vectors_subject
from eddyline_contracts.vectors import VectorsRequest, decode_answer
from eddyline_contracts.vectors import encode as encode_question

SLATE_SIZE, EVENTS_OF_A_SLATE = 24, 20
_QUESTIONS = 2_000
_PENDING_BYTES = 64 * 1024 * 1024


def busy_traffic(rng: random.Random, prefix: str, n: int) -> Iterator[Event]:
    """A slate of 24 in each 20 events; a change of an item and of a user; the rest is what people do."""
    for k in range(n):
        name, user = f"{prefix}-{k}", f"user-{rng.randrange(N_USERS)}"
        place = k % EVENTS_OF_A_SLATE
        if place == 0:
            slate, shown = name, rng.sample(range(N_ITEMS), SLATE_SIZE)
            viewer = user
            items = [SlateItem(item=f"item-{i}") for i in shown]
            yield SlateServed(id=name, user=user, session=f"s-{user}", items=items)
        elif place == 10:
            yield ItemUpserted(
                id=name, item=f"item-{rng.randrange(N_ITEMS)}", fields={"price": rng.random() * 50}
            )
        elif place == 15:
            yield UserUpserted(id=name, user=user, fields={"age": rng.randrange(18, 80)})
        elif place < 5:
            yield InteractionRecorded(
                id=name, user=viewer, session=f"s-{viewer}", item=f"item-{shown[place]}", slate=slate
            )
        else:
            yield InteractionRecorded(
                id=name, user=user, session=f"s-{user}", item=f"item-{rng.randrange(N_ITEMS)}"
            )


def a_question(rng: random.Random, **more: Any) -> bytes:
    """What the ranker would ask for one request."""
    told = a_request(rng)
    return encode_question(
        VectorsRequest(told["user"], told["session"], told["items"], None, told["context"], **more)
    )


async def events(url: str, prefix: str, rate: float, seconds: float, warm_up_s: float) -> dict[str, float]:
    """Publish at a steady rate, without waiting for what the bus says; how many, and how late at worst once warm."""
    n = round(rate * seconds)
    letters = [
        (event_subject(type_of(event)), encode(event), {MSG_ID: message_id(str(event.id))})
        for event in busy_traffic(random.Random(prefix), prefix, n)
    ]
    client = await nats.connect(url, pending_size=_PENDING_BYTES)
    _quiet()
    latest = 0.0
    first = time.perf_counter()
    for k, (subject, raw, headers) in enumerate(letters):
        late = time.perf_counter() - (first + k / rate)
        if late < 0:
            await asyncio.sleep(-late)
        elif k > warm_up_s * rate:
            latest = max(latest, late)
        await client.publish(subject, raw, headers=headers)
    await client.close()
    return {"sent": n, "late_ms": 1e3 * latest}


async def questions(url: str, view: str, rate: float, seconds: float, warm_up_s: float, seed: int) -> Any:
    """Ask at set times; for each question that time (s since the Unix epoch) and the ms until its answer came."""
    rng = random.Random(seed)
    raws = [a_question(rng) for _ in range(_QUESTIONS)]
    client = await nats.connect(url)
    subject, inbox = vectors_subject(view), client.new_inbox()
    n = round((seconds + warm_up_s) * rate)
    due = [0.0] * n
    took = [-1.0] * n
    faults = 0
    done = asyncio.Event()
    left = n

    async def take(message: Msg) -> None:
        nonlocal left, faults
        k = int(message.subject.rpartition(".")[2])
        took[k] = time.perf_counter() - due[k]
        answer = decode_answer(message.data)
        faults += answer.error is not None or not answer.vectors
        left -= 1
        if left == 0:
            done.set()

    await client.subscribe(f"{inbox}.*", cb=take)
    await client.flush()
    _quiet()
    first, began = time.perf_counter() + 0.05, time.time() + 0.05
    for k in range(n):
        due[k] = first + k / rate
        left_s = due[k] - time.perf_counter()
        if left_s > 0:
            await asyncio.sleep(left_s)
        await client.publish(subject, raws[k % _QUESTIONS], reply=f"{inbox}.{k}")
    try:
        async with asyncio.timeout(10):
            await done.wait()
    except TimeoutError:
        faults += left
    await client.close()
    warm = round(warm_up_s * rate)
    told = [(began + due[k] - first, 1e3 * took[k]) for k in range(warm, n) if took[k] >= 0]
    return {"asked": told, "faults": faults}


async def lag(url: str, view: str, seconds: float) -> list[float]:
    """From a committed batch's push until a question that waits for its last event is answered, in ms."""
    client = await nats.connect(url)
    pushed = asyncio.Event()
    newest, arrived = 0, 0.0

    async def take(message: Msg) -> None:
        nonlocal newest, arrived
        arrived, newest = time.perf_counter(), decode_batch(message.data).last
        pushed.set()

    await client.subscribe(COMMITTED, cb=take)
    await client.flush()
    _quiet()
    took: list[float] = []
    end = time.perf_counter() + seconds
    for k in itertools.count():
        pushed.clear()
        try:
            async with asyncio.timeout(1):
                await pushed.wait()
        except TimeoutError:
            if time.perf_counter() > end:
                return took
            continue
        since, items = arrived, [f"item-{k % N_ITEMS}"]
        question = VectorsRequest("user-1", None, items, min_sequence=newest, wait_ms=5_000)
        reply = await client.request(vectors_subject(view), encode_question(question), timeout=6)
        answer = decode_answer(reply.data)
        assert not answer.stale
        took.append(1e3 * (time.perf_counter() - since))
        if time.perf_counter() > end:
            return took
        await asyncio.sleep(0.008)
    raise AssertionError


async def same(url: str, view: str, seconds: float, at: int) -> dict[str, int]:
    """Ask the same at once several times, and compare the answers of which the sequence is the same."""
    client: Client = await nats.connect(url)
    rng = random.Random(11)
    compared = different = 0
    end = time.perf_counter() + seconds
    while time.perf_counter() < end:
        raw = a_question(rng, at=at)
        found: dict[int, set[bytes]] = {}
        replies = await asyncio.gather(
            *(client.request(vectors_subject(view), raw, timeout=5) for _ in range(6))
        )
        for reply in replies:
            answer = decode_answer(reply.data)
            held = found.setdefault(answer.sequence, set())
            compared += bool(held)
            held.add(hashlib.sha256(answer.vectors + answer.priors).digest())
        different += sum(len(held) - 1 for held in found.values())
        await asyncio.sleep(0.05)
    await client.close()
    return {"compared": compared, "different": different}


def _quiet() -> None:
    """No collection while it measures: its pauses would be taken for those of what is measured."""
    gc.collect()
    gc.freeze()
    gc.disable()


CHILDREN = {"events": events, "questions": questions, "lag": lag, "same": same}


def command(name: str, *arguments: Any) -> list[str]:
    """What to start for one of these processes."""
    return [sys.executable, "-m", "benchmarks.store_load", name, json.dumps(arguments)]


def main() -> None:
    """Be one of them, and print what it found as JSON."""
    _, name, arguments = sys.argv
    left = json.dumps(uvloop.run(CHILDREN[name](*json.loads(arguments)))).encode()  # type: ignore[operator]
    # In pieces: after a loop of uvloop's, `print` now and then lost the middle of more than a pipe takes at once.
    while left:
        left = left[os.write(sys.stdout.fileno(), left[:16_384]) :]


if __name__ == "__main__":
    main()

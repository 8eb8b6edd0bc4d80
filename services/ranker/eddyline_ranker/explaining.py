"""Explanations for an answer, in a thread of their own: requests that ask for none do not wait for them."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from concurrent.futures import Executor
from functools import partial
from typing import Any

import numpy as np
import numpy.typing as npt

from eddyline_contracts.api import Explanation
from eddyline_contracts.candidates import Answered, CandidatesAnswer
from eddyline_features.declarations.content import queries_of
from eddyline_features.view import View
from eddyline_learning.explaining.explanations import EXPLAINED, LANGUAGE, explanations
from eddyline_learning.explaining.sentences import Speaker, Words, texts_of
from eddyline_ranker.model import Model
from eddyline_ranker.slate import Ranking
from eddyline_ranker.wording import words_of


class Explaining:
    """Says why items stand where they do.

    Parameters
    ----------
    executor
        Of one thread: a model's trees are not read by two at a time.
    """

    def __init__(self, view: View, executor: Executor) -> None:
        self._speaker = Speaker(view.explanations)
        self._called = view.explanations.called
        self._queries = queries_of(view.features)
        self._executor = executor

    async def ranked(self, ranking: Ranking, answer: Answered | None, accepted: str) -> list[Explanation]:
        """Explain the first places of a ranking; ``accepted`` is the request's ``Accept-Language``."""
        first = ranking.order[:EXPLAINED]
        fields, found_by = ranking.candidates.item_fields, ranking.sources
        known = answer.known if isinstance(answer, CandidatesAnswer) else None
        vectors = None
        if ranking.scored_by is not None and answer is not None:
            vectors = np.frombuffer(answer.vectors, "<f4").reshape(-1, answer.n_features)[first]
        return await self.explain(
            ranking.scored_by,
            vectors,
            sources=[None if found_by is None else found_by[i] for i in first],
            words=[Words() if fields is None else Words(texts_of(fields[i])) for i in first]
            if known is None
            else words_of(known, first, self._called, at=ranking.ranked_at),
            context=ranking.candidates.request.context,
            accepted=accepted,
        )

    async def explain(
        self,
        model: Model | None,
        vectors: npt.NDArray[np.float32] | None,
        *,
        sources: Sequence[str | None],
        words: Sequence[Words],
        context: Mapping[str, Any],
        accepted: str,
    ) -> list[Explanation]:
        """Explain N items, the first ones of a slate.

        Parameters
        ----------
        model
            That gave the scores; none where none did.
        vectors
            shape (N, F), as the model got them.
        sources
            Where each was found; none where the client brought it.
        words
            What is known of each.
        accepted
            The request's ``Accept-Language``.
        """
        explain = partial(
            explanations,
            None if model is None else model.explainer,
            vectors,
            speaker=self._speaker,
            language=self._speaker.language(context.get(LANGUAGE), accepted),
            sources=sources,
            words=words,
            context=context,
            queries=self._queries,
        )
        return await asyncio.get_running_loop().run_in_executor(self._executor, explain)

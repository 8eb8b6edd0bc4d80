"""Local time: the hour, weekday and so on of a request, the same for all candidates."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from eddyline_features.civil_time import DAY_MS, Moment, date_of, local_moment, weekday_of
from eddyline_features.declarations.local_time import LocalTime
from eddyline_features.kernel import FloatTable
from eddyline_features.kinds.kind import Kind
from eddyline_features.plan import Plan
from eddyline_features.reading import Reading

_HOUR_MS = 3_600_000.0
_OUTPUTS: dict[str, Callable[[Moment], float]] = {
    "time_of_day": lambda moment: moment.local % DAY_MS / _HOUR_MS,
    "day_of_week": lambda moment: weekday_of(moment.local // DAY_MS),
    "day_of_month": lambda moment: date_of(moment.local // DAY_MS)[2],
    "month_of_year": lambda moment: date_of(moment.local // DAY_MS)[1],
    "year": lambda moment: date_of(moment.local // DAY_MS)[0],
    "second_of_day": lambda moment: moment.local % DAY_MS // 1_000,
    "second": lambda moment: moment.utc // 1_000,
}


class LocalTimes(Kind):
    """Columns that tell the time; NaN where the request's field holds none."""

    def __init__(self, plan: Plan, features: Sequence[tuple[int, LocalTime]]) -> None:
        self._features = [
            (feature, [(column + at, _OUTPUTS[output]) for at, output in enumerate(feature.outputs)])
            for column, feature in features
        ]

    def read(self, reading: Reading, out: FloatTable) -> None:
        """Write this kind's columns."""
        for feature, outputs in self._features:
            if feature.field is None:
                moment: Moment | None = Moment(reading.at, reading.at + feature.offset_ms)
            else:
                moment = local_moment(reading.context.get(feature.field), feature.offset_ms)
            if moment is not None:
                for column, output in outputs:
                    out[:, column] = output(moment)

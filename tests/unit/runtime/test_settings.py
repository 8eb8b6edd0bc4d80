from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from eddyline_runtime.lifecycle import run_service
from eddyline_runtime.settings import ServiceSettings, SettingsError, masked, read_settings, setting


@dataclass(frozen=True, kw_only=True)
class SomeSettings(ServiceSettings):
    database_url: str = setting("EDDYLINE_DATABASE_URL")
    port: int = setting("EDDYLINE_PORT", 7440, at_least=0)
    ratio: float = setting("EDDYLINE_RATIO", 0.5)
    folder: Path | None = setting("EDDYLINE_STATE_DIR", None)
    eager: bool = setting("EDDYLINE_EAGER", False)


def test_values_come_from_the_environment_in_their_types() -> None:
    settings = read_settings(
        SomeSettings,
        {
            "EDDYLINE_DATABASE_URL": "postgresql://x",
            "EDDYLINE_PORT": "0",
            "EDDYLINE_RATIO": "0.25",
            "EDDYLINE_STATE_DIR": "/data",
            "EDDYLINE_EAGER": "yes",
        },
    )
    assert settings == SomeSettings(
        database_url="postgresql://x", port=0, ratio=0.25, folder=Path("/data"), eager=True
    )


def test_an_empty_variable_means_the_default() -> None:
    settings = read_settings(SomeSettings, {"EDDYLINE_DATABASE_URL": "postgresql://x", "EDDYLINE_PORT": ""})
    assert settings.port == 7440


def test_every_wrong_value_is_named_at_once() -> None:
    with pytest.raises(SettingsError) as caught:
        read_settings(
            SomeSettings, {"EDDYLINE_PORT": "-1", "EDDYLINE_RATIO": "half", "EDDYLINE_EAGER": "maybe"}
        )
    text = str(caught.value)
    assert "EDDYLINE_DATABASE_URL is not set" in text
    assert "EDDYLINE_PORT=-1: at least 0 is expected" in text
    assert "EDDYLINE_RATIO='half': a number is expected" in text
    assert "EDDYLINE_EAGER='maybe': true or false is expected" in text


@pytest.mark.parametrize(
    ("said", "why"), [("1.5", "at most 1"), ("nan", "at least 0"), ("-0.1", "at least 0")]
)
def test_a_share_is_within_its_bounds(said: str, why: str) -> None:
    @dataclass(frozen=True, kw_only=True)
    class Shared:
        share: float = setting("EDDYLINE_SHARE", 0.5, at_least=0, at_most=1)

    with pytest.raises(SettingsError, match=f"{said}: {why} is expected"):
        read_settings(Shared, {"EDDYLINE_SHARE": said})
    assert read_settings(Shared, {"EDDYLINE_SHARE": "1"}).share == 1.0


def test_passwords_in_urls_are_masked() -> None:
    shown = masked(SomeSettings(database_url="postgresql://eddy:s3cret@db:5432/log"))
    assert shown["database_url"] == "postgresql://eddy:***@db:5432/log"


def test_a_service_without_its_configuration_says_which_file_it_wants(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    @dataclass(frozen=True, kw_only=True)
    class WithConfig(ServiceSettings):
        config: Path = setting("EDDYLINE_CONFIG", Path("eddyline.yaml"))

    monkeypatch.chdir(tmp_path)
    with pytest.raises(SystemExit) as ended:
        run_service("ranker", WithConfig, lambda _: pytest.fail("it must not start"))
    assert ended.value.code == 2
    said = capsys.readouterr().err
    assert str(tmp_path / "eddyline.yaml") in said
    assert "EDDYLINE_CONFIG" in said


def test_a_setting_that_turns_out_wrong_when_it_is_used_is_said_as_any(
    capsys: pytest.CaptureFixture[str],
) -> None:
    @asynccontextmanager
    async def running(settings: ServiceSettings) -> AsyncIterator[None]:
        await asyncio.sleep(0)
        raise SettingsError("EDDYLINE_MODEL=x: there is no such file")
        yield

    with pytest.raises(SystemExit) as ended:
        run_service("ranker", ServiceSettings, running)
    assert ended.value.code == 2
    told = capsys.readouterr().err
    assert "ranker: EDDYLINE_MODEL=x: there is no such file" in told.splitlines()
    assert "Traceback" not in told

"""Those the engine is measured against: kept for the version and the processor they were made for."""

from pathlib import Path

import pytest

from bench.peers import made
from build_llama import Pin
from build_peers import SERVER_FLAGS, packages_in, server_in

pytestmark = pytest.mark.unit
CACHE, PIN = Path("/cache"), Pin("1.2.3", ("sha256:ab",))


def test_another_version_or_processor_is_another_llama_server() -> None:
    places = {
        server_in(CACHE, pin, processor) for pin in (PIN, Pin("1.2.4", ("sha256:ab",))) for processor in ("a", "b")
    }
    assert len(places) == 4
    assert all(place.name == "llama-server" and CACHE in place.parents for place in places)


def test_it_fetches_nothing_while_it_is_built() -> None:
    assert {"-DLLAMA_USE_PREBUILT_UI=OFF", "-DLLAMA_BUILD_UI=OFF", "-DLLAMA_CURL=OFF"} <= set(SERVER_FLAGS)


def test_the_bench_finds_what_was_made_and_what_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    for name in ("HEARTH_BENCH_LLAMA_SERVER", "HEARTH_BENCH_PACKAGES"):
        monkeypatch.delenv(name, raising=False)
    assert made() == ("", "")
    packages = packages_in(tmp_path / "hearth" / "llama")
    packages.mkdir(parents=True)
    assert made() == ("", str(packages))
    monkeypatch.setenv("HEARTH_BENCH_LLAMA_SERVER", "/my/llama-server")
    assert made() == ("/my/llama-server", str(packages))

from pathlib import Path

import pytest

from hearth_backend.engine.builds import Builds, backend_of

pytestmark = pytest.mark.unit


def libraries(folder: Path, *names: str) -> Path:
    folder.mkdir(parents=True)
    for name in ("libllama.so", *names):
        (folder / name).touch()
    return folder


def test_added_builds_come_before_the_installed_one_and_gpus_before_the_processor(tmp_path: Path) -> None:
    installed = libraries(tmp_path / "site" / "lib", "libggml-cpu.so")
    for name in ("vulkan-1.0", "cuda-1.0", "cuda-0.9", "cpu-1.0"):
        libraries(tmp_path / "engine" / name / "lib")
    (tmp_path / "engine" / "rocm-1.0").mkdir()
    (tmp_path / "engine" / "abacus-1.0").mkdir()
    found = Builds(tmp_path / "engine", lambda: installed, "1.0").all()
    assert [(one.backend, one.version, one.added, one.current) for one in found] == [
        ("cuda", "1.0", True, True),
        ("vulkan", "1.0", True, True),
        ("cpu", "1.0", True, True),
        ("cpu", "1.0", False, True),
        ("cuda", "0.9", True, False),
    ]


def test_what_was_wanted_is_tried_first_and_the_processor_last(tmp_path: Path) -> None:
    for name in ("vulkan-1.0", "cuda-1.0", "cpu-1.0", "cuda-0.9"):
        libraries(tmp_path / name / "lib")
    builds = Builds(tmp_path, lambda: None, "1.0")
    assert [one.backend for one in builds.candidates("auto")] == ["cuda", "vulkan", "cpu"]
    assert [one.backend for one in builds.candidates("vulkan")] == ["vulkan", "cpu"]
    assert [one.backend for one in builds.candidates("cpu")] == ["cpu"]
    assert [one.backend for one in builds.candidates("metal")] == ["cpu"]


def test_no_folder_is_no_build(tmp_path: Path) -> None:
    assert Builds(tmp_path / "none", lambda: None, "1.0").all() == []


@pytest.mark.parametrize(
    ("name", "backend"),
    [("libggml-cuda.so", "cuda"), ("libggml-hip.so", "rocm"), ("libggml-vulkan.so", "vulkan"), ("x.so", "cpu")],
)
def test_a_build_is_known_by_its_libraries(tmp_path: Path, name: str, backend: str) -> None:
    assert backend_of(libraries(tmp_path / "lib", name)) == backend

"""Vulkan's headers for compiling: the system's where they are new enough, else two packages at their hashes."""

import hashlib
import subprocess
from dataclasses import dataclass
from pathlib import Path

import pytest

from build_tools import BuildFailed
from support import tools
from vulkan_headers import NEEDED, Package, are_fit, environment, fetched, mirrors_in

pytestmark = pytest.mark.integration
SAID = """\
Debian main http://mirror.example/debian/
Debian main http://mirror.example/debian/
Debian contrib http://mirror.example/debian/
Debian main http://mirror.example/debian-security/
Else main http://else.example/
 main http://nameless.example/
"""


def headers(include: Path, text: str = f"struct {NEEDED} {{}};") -> Path:
    """A folder of headers with this in it."""
    (include / "vulkan").mkdir(parents=True)
    (include / "spirv" / "unified1").mkdir(parents=True)
    (include / "vulkan" / "vulkan_structs.hpp").write_text(text)
    (include / "spirv" / "unified1" / "spirv.hpp").touch()
    return include


@dataclass(frozen=True)
class Archive:
    """Debian's archive on this disk: it has one package of headers, which apt fetches by its hash."""

    address: str
    package: Package
    loader: Path

    def fetched(self, cache: Path, package: Package | None = None) -> Path:
        mirrors = ["file:///nowhere", self.address]
        return fetched(cache, (package or self.package,), lambda: mirrors, lambda: self.loader)


@pytest.fixture
def archive(tmp_path: Path) -> Archive:
    tools.need("apt-get")
    content = tmp_path / "content"
    headers(content / "usr" / "include")
    (content / "DEBIAN").mkdir()
    control = "Package: h\nVersion: 1\nArchitecture: all\nMaintainer: n\nDescription: d\n"
    (content / "DEBIAN" / "control").write_text(control)
    (tmp_path / "archive").mkdir()
    built = tmp_path / "archive" / "h_1_all.deb"
    subprocess.run(["dpkg-deb", "--root-owner-group", "-b", str(content), str(built)], check=True, capture_output=True)
    (loader := tmp_path / "libvulkan.so.1").touch()
    digest = hashlib.sha256(built.read_bytes()).hexdigest()
    return Archive(f"file://{built.parent}", Package(built.name, digest), loader)


def test_only_debian_s_own_archive_is_asked_each_mirror_once() -> None:
    assert mirrors_in(SAID.splitlines()) == ["http://mirror.example/debian/", "http://mirror.example/debian-security/"]


def test_headers_are_fit_when_they_have_what_llama_cpp_uses(tmp_path: Path) -> None:
    assert are_fit(headers(tmp_path / "new"))
    assert not are_fit(headers(tmp_path / "old", "struct InstanceCreateInfo {};"))
    assert not are_fit(tmp_path / "none")
    (tmp_path / "new" / "spirv" / "unified1" / "spirv.hpp").unlink()
    assert not are_fit(tmp_path / "new")


def test_a_vulkan_sdk_of_the_person_s_own_is_left_alone(tmp_path: Path) -> None:
    around = {"VULKAN_SDK": "/mine", "PATH": "/bin"}
    assert environment(around, tmp_path) == around


def test_they_are_fetched_once_into_the_cache(archive: Archive, tmp_path: Path) -> None:
    folder = archive.fetched(tmp_path / "cache")
    assert are_fit(folder / "include")
    assert (folder / "lib" / "libvulkan.so").readlink() == archive.loader
    assert [path.name for path in (tmp_path / "cache").iterdir()] == [folder.name]
    assert fetched(tmp_path / "cache", mirrors=lambda: pytest.fail("it is here already")) == folder


def test_another_file_than_the_pinned_one_is_refused(archive: Archive, tmp_path: Path) -> None:
    with pytest.raises(BuildFailed, match="could not be fetched with its hash"):
        archive.fetched(tmp_path / "cache", Package(archive.package.place, "0" * 64))
    assert list((tmp_path / "cache").iterdir()) == []

"""The VS Code extension: what it does in a window, and what is packaged."""

import json
import os
import zipfile
from pathlib import Path

import pytest

import build_vscode
from support import node_modules
from support.backend import Backend
from support.editor import SERVER
from support.editor_fixtures import scripted, scripted_backend, scripted_model
from support.provider import words
from support.scripted_server import Scripted

__all__ = ["scripted", "scripted_backend", "scripted_model"]
pytestmark = pytest.mark.editors

MOST_BYTES = 1_000_000
FACT = {
    "external_id": "anemone",
    "source": "https://ops.example.org/hosts",
    "session": "page:ops.example.org",
    "occurred_at": "2026-11-24T09:00:00+00:00",
    "text": "The server Anemone is rebooted on Mondays.",
}


def test_a_person_asks_edits_recalls_and_forgets(scripted: Backend, scripted_model: Scripted) -> None:
    node_modules.packages()
    assert scripted.door().post("/v1/memory/episodes", json={"episodes": [FACT]}).status_code == 201
    scripted_model.does(words("It adds ", "[1]."), words("```\ndef add(a, b):\n    return a + b\n```"))
    environ = {**os.environ, "HEARTH_HOME": str(scripted.home.root)}
    window = Path(__file__).with_name("vscode_window.cjs")
    ran = node_modules.script(window, str(build_vscode.SOURCES / "src"), *SERVER, environ=environ)
    assert ran.status == 0, ran.out
    assert ran.out == "ok\n"
    kept = scripted.door().get("/v1/memory/episodes").json()["episodes"]
    assert FACT["external_id"] not in [episode["external_id"] for episode in kept]


def test_the_package_holds_the_extension_and_nothing_else() -> None:
    node_modules.packages()
    made = build_vscode.build()
    assert made.stat().st_size < MOST_BYTES
    with zipfile.ZipFile(made) as package:
        names = {name.removeprefix("extension/") for name in package.namelist() if name.startswith("extension/")}
        manifest = json.loads(package.read("extension/package.json"))
    assert names == {
        "LICENSE.txt",
        "package.json",
        "readme.md",
        "dist/extension.js",
        *(f"media/{name}" for name in ("ask.css", "ask.js", "hearth.svg")),
    }
    server = manifest["contributes"]["configuration"]["properties"]["hearth.server.command"]
    assert server["scope"] == "machine"


def test_the_lock_file_names_versions_and_hashes_and_no_hosts() -> None:
    lock = json.loads((build_vscode.SOURCES / "package-lock.json").read_text("utf-8"))
    packages = {name: one for name, one in lock["packages"].items() if name}
    assert all("integrity" in one and "resolved" not in one for one in packages.values())
    declared = json.loads((build_vscode.SOURCES / "package.json").read_text("utf-8"))
    for name, version in {**declared["dependencies"], **declared["devDependencies"]}.items():
        assert packages[f"node_modules/{name}"]["version"] == version

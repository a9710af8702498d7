"""The server under `vscode-languageserver-protocol`, the library that VS Code's own clients stand on."""

import os
from pathlib import Path

import pytest

from support import node_modules
from support.backend import Backend
from support.editor import SERVER
from support.editor_fixtures import scripted, scripted_backend, scripted_model
from support.provider import words
from support.scripted_server import Held, Scripted

__all__ = ["scripted", "scripted_backend", "scripted_model"]
pytestmark = pytest.mark.editors


def test_a_client_that_was_not_made_for_it(scripted: Backend, scripted_model: Scripted) -> None:
    edited = "```\ndef add(a, b): ...\n```"
    scripted_model.does(words("a, b):"), words(edited), words("It ", "is ", "me."), Held())
    environ = {**os.environ, "HEARTH_HOME": str(scripted.home.root)}
    ran = node_modules.script(Path(__file__).with_name("lsp_client.cjs"), *SERVER, environ=environ)
    assert ran.status == 0, ran.out
    assert ran.out.startswith("ok ")

"""Programs and packages that some tests need. On a person's machine such a test is skipped; in CI that is a failure."""

import importlib.util
import os
import shutil

import pytest

# What .ci/run installs: with CI=true a test that goes without one of these fails instead of being skipped.
CHECKED = frozenset(
    {"bwrap", "curl", "dbus-daemon", "git", "gnome-keyring-daemon", "llama_cpp", "make", "minilm", "openai"}
    | {"sqlcipher3", "lavapipe", "vulkan-build"}
    | {"Xvfb", "openbox", "trayer", "xdotool", "chromium", "firefox-esr", "nvim", "emacs", "eglot", "npm-packages"}
    | {"client-packages"}
)
_NEEDS = "needs "


def need(tool: str) -> str:
    """Skip the test unless `tool` (a program on the PATH, or a Python package) is here; its path or name."""
    if path := shutil.which(tool):
        return path
    if tool.isidentifier() and importlib.util.find_spec(tool) is not None:
        return tool
    pytest.skip(f"{_NEEDS}{tool}")


def must_not_skip(reason: str, *, ci: bool | None = None) -> bool:
    """Whether a skip for this reason is a failure here."""
    ci = os.environ.get("CI") == "true" if ci is None else ci
    return ci and _NEEDS in reason and reason.rpartition(_NEEDS)[2].strip() in CHECKED

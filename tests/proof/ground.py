"""What the proof ran on: versions of everything that took part, and what could not be run here."""

import platform
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from importlib.metadata import PackageNotFoundError, version

_PACKAGES = (
    *("hearth-agent", "llama-cpp-python", "onnxruntime", "pydantic-ai-slim", "uvicorn", "sqlcipher3"),
    *("PySide6-Essentials", "pygls", "websockets", "openai", "playwright"),
)
NOT_RUN: Sequence[str] = (
    "Windows and macOS: described in docs/platforms.md, never tried.",
    "An NVIDIA GPU, or any other: llama.cpp ran on the processor.",
    "Weights of a real language model: the model here is a generated test file whose words mean nothing.",
    "Real Ollama, LM Studio and cloud providers: a server on this machine speaks their dialect instead.",
    "A desktop's own tray and window manager: the window was drawn without a display.",
)


def versions() -> Mapping[str, str]:
    """By name; a package that is not here says so."""
    found = {"Python": sys.version.split()[0], "system": f"{platform.system()} {platform.machine()}"}
    for name in _PACKAGES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            found[name] = "not here"
    if chromium := shutil.which("chromium"):
        said = subprocess.run([chromium, "--version"], capture_output=True, text=True, timeout=60, check=False)
        found["Chromium"] = said.stdout.strip().removeprefix("Chromium ").split(" ")[0]
    return found

"""What answers: the language model, the embedder, the engine, and servers that could be connected."""

import asyncio
import contextlib
import json
import sys
from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from hearth_shared.errors import HearthError
from hearth_shared.protocol.models import ModelFileInfo, ModelInfo
from hearth_shared.protocol.status import Check

CONNECT = "`hearth models list` shows what can be connected; `hearth keys set PROVIDER` connects a cloud model."
INSTALL = "`make run` in Hearth's checkout builds it; `hearth models list` shows other models that can be connected."
# A child, because a native library that fails to load can take its process with it.
_PROBE = "import json, llama_cpp as l; print(json.dumps([l.__version__, bool(l.llama_supports_gpu_offload())]))"
QUESTION, NEAR, FAR = "The cat sleeps on the sofa.", "A kitten naps on the couch.", "Interest rates rose last week."
# Cosines of QUESTION with NEAR and with FAR, by embedder; quantised models differ a little between processors.
KNOWN = {"all-minilm-l6-v2.fp32": (0.738, 0.035), "all-minilm-l6-v2.int8": (0.713, 0.026)}
_WITHIN = 0.05


class Embedder(Protocol):
    """Turns texts into vectors."""

    @property
    def id(self) -> str: ...

    async def available(self) -> bool: ...

    async def embed(self, texts: Sequence[str]) -> NDArray[np.float32]: ...


async def generation(
    list_models: Callable[[], Awaitable[Sequence[ModelInfo]]], generate: Callable[[ModelInfo], Awaitable[str]]
) -> Check:
    """Let the first local language model write a few words; a cloud model is not asked, it would cost."""
    chat = [model for model in await list_models() if "chat" in model.roles]
    if not chat:
        detail = "No language model is connected; Hearth answers with passages and their sources."
        return Check(name="model", state="warn", detail=detail, fix=CONNECT)
    local = next((model for model in chat if model.where == "this machine"), None)
    if local is None:
        detail = f"{chat[0].id} ({chat[0].where}) is connected; it was not asked, because that may cost."
        return Check(name="model", state="ok", detail=detail)
    return await _generated(local, generate)


async def _generated(model: ModelInfo, generate: Callable[[ModelInfo], Awaitable[str]]) -> Check:
    label = f"{model.id} (a test model)" if model.test_model else model.id
    try:
        text = await generate(model)
    except HearthError as error:
        return Check(name="model", state="fault", detail=f"{label} did not answer: {error.detail}", fix=error.fix)
    if not text:
        fix = "Try another model: `hearth models list`, `hearth models use ID`."
        return Check(name="model", state="fault", detail=f"{label} answered with nothing.", fix=fix)
    return Check(name="model", state="ok", detail=f"{label} wrote {len(text)} characters on this machine.")


async def files(list_files: Callable[[], Awaitable[Sequence[ModelFileInfo]]]) -> Check:
    """Read the header of every model file, to its end."""
    found = await list_files()
    broken = [file for file in found if not file.readable]
    if broken:
        detail = " ".join(file.detail for file in broken)
        return Check(name="model files", state="warn", detail=detail, fix=broken[0].fix)
    names = ", ".join(file.name for file in found)
    detail = f"Whole, as far as their headers tell: {names}." if names else "There is no model file."
    return Check(name="model files", state="ok", detail=detail)


async def embeddings(
    embedder: Embedder,
    known: Mapping[str, tuple[float, float]] = KNOWN,
    fix: str = "Install Hearth with `make run`, which adds it.",
) -> Check:
    """Embed three sentences and compare with the known answers of this very model."""
    if not await embedder.available():
        detail = f"The embedding model {embedder.id} is not here; memory is searched by words alone."
        return Check(name="embedder", state="warn", detail=detail, fix=fix)
    vectors = await embedder.embed([QUESTION, NEAR, FAR])
    found = float(vectors[0] @ vectors[1]), float(vectors[0] @ vectors[2])
    said = f"{embedder.id} finds {found[0]:.2f} for two sentences that are near and {found[1]:.2f} for two that are far"
    expected = known.get(embedder.id, found)
    if found[0] <= found[1] or any(abs(a - b) > _WITHIN for a, b in zip(found, expected, strict=True)):
        fix = "Its files may be damaged: install Hearth again."
        return Check(name="embedder", state="fault", detail=f"{said}: not what this model should find.", fix=fix)
    return Check(name="embedder", state="ok", detail=f"{said}, as it should.")


async def isolation(probe: str, limit_s: float = 25) -> Check:
    """Whether a child of the engine can give up the network here."""
    child = await asyncio.create_subprocess_exec(
        *(sys.executable, "-I", "-c", probe), env={}, stdin=asyncio.subprocess.DEVNULL, stdout=asyncio.subprocess.PIPE
    )
    try:
        said, _ = await asyncio.wait_for(child.communicate(), limit_s)
    finally:
        with contextlib.suppress(ProcessLookupError):
            child.kill()
    if said.strip() == b"True":
        return Check(name="engine isolation", state="ok", detail="Models run without access to the network.")
    detail = "This system does not let Hearth close the network to the processes that run models."
    fix = "Use only model files you trust; on Linux (x86-64, ARM64) the network is closed to them."
    return Check(name="engine isolation", state="warn", detail=detail, fix=fix)


async def engine(command: Sequence[str] = (sys.executable, "-I", "-c", _PROBE), limit_s: float = 25) -> Check:
    """Load llama.cpp in a child process and ask it whether it can use a GPU."""
    child = await asyncio.create_subprocess_exec(
        *command,
        env={},
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    try:
        async with asyncio.timeout(limit_s):
            out, complaint = await child.communicate()
    except TimeoutError:
        child.kill()
        await child.wait()
        detail = f"llama.cpp did not load within {limit_s:g} s."
        return Check(name="engine", state="fault", detail=detail, fix=INSTALL)
    if child.returncode:
        return _not_loaded(child.returncode, complaint.decode(errors="replace"))
    version, gpu = json.loads(out.splitlines()[-1])
    where = "and can use the GPU it was built for" if gpu else "on the CPU; this build has no GPU support"
    return Check(name="engine", state="ok", detail=f"llama.cpp (llama-cpp-python {version}) loads {where}.")


def _not_loaded(code: int, complaint: str) -> Check:
    last = complaint.strip().rpartition("\n")[2][:200]
    if "No module named" in last:
        detail = "llama.cpp is not installed, so no model file can be loaded."
        return Check(name="engine", state="warn", detail=detail, fix=INSTALL)
    how = f"was ended by signal {-code}" if code < 0 else f"failed: {last}"
    fix = "Build it again for this processor: `make clean`, then `make run`, in Hearth's checkout."
    return Check(name="engine", state="fault", detail=f"Loading llama.cpp {how}.", fix=fix)


async def servers(find: Callable[[], Awaitable[Collection[str]]]) -> Check:
    """Look for Ollama, LM Studio and llama-server on this machine."""
    found = sorted(await find())
    detail = f"Found on this machine: {', '.join(found)}." if found else "No other model server runs on this machine."
    return Check(name="other servers", state="ok", detail=detail)

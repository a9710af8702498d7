"""What a model really takes on a device, in llama.cpp's own words.

    python -m support.gpu_memory FILE LAYERS CONTEXT CELLS KV_TYPE [DEVICE=LAYERS ...]

One JSON object: bytes of "model", "KV" and "compute" in buffers of GPUs, and of each one's own ("Vulkan0 model"). A
process of its own, because it decides which build is loaded (LLAMA_CPP_LIB_PATH).
"""

import json
import re
import sys
from collections import Counter

from hearth_backend.engine import native
from hearth_backend.engine.native import AbortFlag, C, NativeContext, NativeModel

_SIZE = re.compile(r"(\S+) (model|KV|compute) buffer size\s*=\s*([\d.]+) MiB")


def main() -> None:
    """Load it, and tell what was said meanwhile."""
    path, layers, context, cells, kv_type = sys.argv[1], *map(int, sys.argv[2:5]), sys.argv[5]
    found: Counter[str] = Counter()

    @C.llama_log_callback
    def note(_level: int, text: bytes, _data: object) -> None:
        size = _SIZE.search(text.decode("utf-8", "replace"))
        if size and not size[1].startswith(("CPU", "Vulkan_Host")):
            found[size[2]] += int(float(size[3]) * (1 << 20))
            found[f"{size[1]} {size[2]}"] += int(float(size[3]) * (1 << 20))

    native.start()
    C.llama_log_set(note, None)
    cards = dict(one.split("=") for one in sys.argv[6:])
    model = NativeModel(path, gpu_layers=layers, devices=list(cards), split=[*map(int, cards.values())])
    made = NativeContext(
        model, AbortFlag(), context=context, batch=512, threads=1, batch_threads=1, seats=16, capacity=cells,
        kv_type=kv_type,
    )  # fmt: skip
    print(json.dumps(found))
    made.close()
    model.close()


if __name__ == "__main__":
    main()

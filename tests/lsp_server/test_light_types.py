"""lsprotocol's classes made one by one are the classes that it makes itself."""

import json
import subprocess
import sys

import pytest

pytestmark = pytest.mark.editors

DESCRIBE = """
import json, sys
import attrs
if sys.argv[1] == "light":
    from hearth_lsp import light_types
    light_types.prepare()
from lsprotocol import converters, types
converter = converters.get_converter()
where = types.Range(types.Position(0, 1), types.Position(2, 3))
one = types.CompletionItem(label="x", text_edit=types.TextEdit(range=where, new_text="y"))
plain = converter.unstructure(one)
said = {
    name: [[one.name, str(one.type), repr(one.default), one.kw_only, one.init] for one in attrs.fields(kind)]
    for name, kind in sorted(types.ALL_TYPES_MAP.items()) if isinstance(kind, type) and attrs.has(kind)
}
same = [types.Position(1, 2) == types.Position(1, 2), types.Position(1, 2) < types.Position(1, 3),
        types.TextEdit(one.text_edit.range, "y") == one.text_edit, one != types.CompletionItem(label="x")]
try:
    types.Position(-1, 0)
except ValueError as error:
    same.append(str(error))
again = converter.unstructure(converter.structure(plain, types.CompletionItem))
print(json.dumps([said, plain, again, same, repr(one)]))
"""


def described(way: str) -> str:
    return subprocess.run(
        [sys.executable, "-I", "-c", DESCRIBE, way], capture_output=True, text=True, check=True, timeout=60
    ).stdout


def test_all_of_them_are_the_same() -> None:
    light, whole = described("light"), described("whole")
    assert len(json.loads(whole)[0]) > 500
    assert light == whole


def test_who_has_them_already_keeps_them() -> None:
    program = (
        "from lsprotocol import types; from hearth_lsp import light_types; light_types.prepare();"
        "assert '__init__' in vars(types.Position); types.Position(0, 0)"
    )
    subprocess.run([sys.executable, "-I", "-c", program], check=True, timeout=60)

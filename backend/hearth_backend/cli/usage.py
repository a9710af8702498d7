"""`hearth usage`: which models were asked, and what it cost."""

from argparse import Namespace

from hearth_backend.cli.desk import Desk
from hearth_backend.cli.route import route
from hearth_backend.cli.terminal import Part, ago
from hearth_shared import wire


def usage(desk: Desk, options: Namespace) -> int:
    """Calls, newest first, then the totals by model."""
    found: wire.Usage = desk.backend().request("GET", route("usage", limit=options.limit))
    if options.json:
        desk.terminal.json(found)
        return 0
    if not found["rows"]:
        desk.terminal.say("No model was asked yet.")
        return 0
    head = [(name, "muted") for name in ("when", "model", "where", "for", "tokens", "time", "cost")]
    desk.terminal.table([head, *map(_row, found["rows"])])
    return 0


def _row(row: wire.UsageRow) -> list[Part]:
    tokens = f"{row['input_tokens']} + {row['output_tokens']}"
    cost = "not known" if row["cost"] is None else f"${row['cost']:.4f}"
    model: Part = row["model"] if row["ok"] else (f"{row['model']}: {row['error']}", "danger")
    return [ago(row["at"]), model, row["where"], row["role"], tokens, f"{row['ms'] / 1000:.1f} s", cost]

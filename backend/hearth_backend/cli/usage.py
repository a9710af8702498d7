"""`hearth usage`: which models were asked, and what it cost."""

from argparse import Namespace
from collections.abc import Mapping, Sequence
from typing import Any, Final

from hearth_backend.cli.desk import Desk
from hearth_backend.cli.route import route
from hearth_backend.cli.terminal import Part, ago
from hearth_shared import wire

_WIDEST: Final = 24
_EIGHTHS: Final = " ▏▎▍▌▋▊▉"


def usage(desk: Desk, options: Namespace) -> int:
    """Calls, newest first, then a chart of what they add up to."""
    found: wire.Usage = desk.backend().request("GET", route("usage", limit=options.limit, by=options.by))
    if options.json:
        desk.terminal.json(found)
        return 0
    if not found["rows"]:
        desk.terminal.say("No model was asked yet.")
        return 0
    head = [(name, "muted") for name in ("when", "model", "where", "for", "tokens", "time", "cost")]
    desk.terminal.table([head, *map(_row, found["rows"])])
    for row in found["rows"]:
        if row.get("instead_of") and row["where"] == "cloud":
            desk.terminal.note(f"{row['model']} was asked instead of {row['instead_of']}: {row['because']}")
    desk.terminal.say("")
    desk.terminal.table(chart(options.by, found["totals"]))
    return 0


def chart(by: str, totals: Sequence[Mapping[str, Any]]) -> list[list[Part]]:
    """A line for each: its name, a bar as long as its share of the largest, and the figures. Bars show the cost, or the
    tokens where nothing cost anything. Pure."""
    costs = any(total["cost"] for total in totals)
    sizes = [(total["cost"] or 0.0) if costs else _tokens(total) for total in totals]
    most = max(sizes, default=0)
    head: list[Part] = [(name, "muted") for name in (by, "cost" if costs else "tokens", "calls", "tokens", "cost")]
    return [head, *(_line(by, total, size / most if most else 0.0) for total, size in zip(totals, sizes, strict=True))]


def bar(share: float) -> str:
    """A bar in eighths of a letter; what is there at all is seen. Pure."""
    eighths = max(round(share * _WIDEST * 8), 1 if share > 0 else 0)
    return "█" * (eighths // 8) + _EIGHTHS[eighths % 8].strip()


def _line(by: str, total: Mapping[str, Any], share: float) -> list[Part]:
    calls = f"{total['calls']:,}" + (f" ({total['failed']} failed)" if total["failed"] else "")
    return [str(total[by] or "none"), bar(share), calls, f"{_tokens(total):,}", _cost_of(total)]


def _tokens(total: Mapping[str, Any]) -> int:
    return int(total["input_tokens"] + total["output_tokens"])


def _cost_of(total: Mapping[str, Any]) -> str:
    if total["cost"] is None:
        return "not known"
    unknown = f" and {total['calls_without_price']} not known" if total["calls_without_price"] else ""
    return f"${total['cost']:.4f}{unknown}"


def _row(row: wire.UsageRow) -> list[Part]:
    tokens = f"{row['input_tokens']} + {row['output_tokens']}"
    cost = "not known" if row["cost"] is None else f"${row['cost']:.4f}"
    model: Part = row["model"] if row["ok"] else (f"{row['model']}: {row['error']}", "danger")
    return [ago(row["at"]), model, row["where"], row["role"], tokens, f"{row['ms'] / 1000:.1f} s", cost]

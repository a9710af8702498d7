"""The proof as a page of its own: no script, nothing from elsewhere, in Hearth's colours, light and dark."""

from collections.abc import Iterable, Mapping
from html import escape
from pathlib import Path

from hearth_shared.theme import CORNER_PX, PALETTES, STEP_PX, Palette, Scheme
from proof.chapter import Chapter, Proof

_STYLE = """
:root { color-scheme: light dark; %(light)s }
@media (prefers-color-scheme: dark) { :root { %(dark)s } }
body { background: var(--background); color: var(--text); font: 16px/1.5 system-ui, sans-serif; margin: 0 auto;
  max-width: 60rem; padding: %(wide)dpx; }
h1, h2 { line-height: 1.25; margin: %(wide)dpx 0 %(narrow)dpx; }
nav a, a { color: var(--accent); }
nav ul { columns: 2; }
.muted, figcaption, td:first-child { color: var(--muted); }
.held { color: var(--ok); } .failed { color: var(--danger); }
pre, table, img { background: var(--surface); border: 1px solid var(--border); border-radius: %(corner)dpx; }
pre { overflow-x: auto; padding: %(narrow)dpx; white-space: pre-wrap; overflow-wrap: anywhere; }
figure { margin: %(narrow)dpx 0; } img { display: block; max-width: 100%%; }
table { border-collapse: separate; border-spacing: 0; width: 100%%; }
td { padding: %(step)dpx %(narrow)dpx; vertical-align: top; }
ul.checks { list-style: none; padding: 0; }
"""


def write(proof: Proof, folder: Path) -> Path:
    """The page and its pictures in `folder`; the page's path."""
    folder.mkdir(parents=True, exist_ok=True)
    for chapter in proof.chapters:
        for picture in chapter.pictures:
            (folder / f"{picture.name}.png").write_bytes(picture.png)
    path = folder / "index.html"
    path.write_text(rendered(proof), "utf-8")
    return path


def rendered(proof: Proof) -> str:
    """The page's HTML."""
    verdict = "Every door held." if proof.holds else "Not every door held."
    parts = [
        '<!doctype html><html lang="en"><head><meta charset="utf-8"><title>Hearth: proof</title>',
        '<meta name="viewport" content="width=device-width, initial-scale=1">',
        f"<style>{_style()}</style></head><body>",
        "<h1>Hearth: one brain, five doors, tried</h1>",
        f'<p class="{"held" if proof.holds else "failed"}">{verdict}</p>',
        "<nav><ul>",
        *(
            f'<li><a href="#{chapter.name}">{escape(chapter.title)}</a>{_mark(chapter)}</li>'
            for chapter in proof.chapters
        ),
        "</ul></nav>",
        *(_chapter(chapter) for chapter in proof.chapters),
        "<h2>Figures of this run</h2>",
        _table(proof.figures),
        "<h2>What it ran on</h2>",
        _table(proof.versions),
        "<h2>Not run here</h2>",
        _list(proof.not_run),
        "</body></html>\n",
    ]
    return "\n".join(parts)


def _style() -> str:
    sizes = {"corner": CORNER_PX, "step": STEP_PX, "narrow": 3 * STEP_PX, "wide": 8 * STEP_PX}
    return _STYLE % {**sizes, "light": _variables(PALETTES[Scheme.LIGHT]), "dark": _variables(PALETTES[Scheme.DARK])}


def _variables(palette: Palette) -> str:
    return " ".join(f"--{name}: {colour};" for name, colour in palette._asdict().items())


def _chapter(chapter: Chapter) -> str:
    figures = (
        f'<figure><img src="{escape(picture.name)}.png" alt="{escape(picture.caption)}">'
        f"<figcaption>{escape(picture.caption)}</figcaption></figure>"
        for picture in chapter.pictures
    )
    checks = (
        f'<li class="{"held" if held else "failed"}">{_sign(held)} {escape(claim)}</li>'
        for claim, held in chapter.checks
    )
    fault = f'<pre class="failed">{escape(chapter.fault)}</pre>' if chapter.fault else ""
    said = f"<pre>{escape(chr(10).join(chapter.lines))}</pre>" if chapter.lines else ""
    return "\n".join(
        [
            f'<h2 id="{chapter.name}">{escape(chapter.title)}</h2>',
            '<ul class="checks">',
            *checks,
            "</ul>",
            fault,
            said,
            *figures,
        ]
    )


def _mark(chapter: Chapter) -> str:
    return "" if chapter.holds else ' <span class="failed">failed</span>'


def _sign(held: bool) -> str:
    return "✓" if held else "✗"


def _table(rows: Mapping[str, str]) -> str:
    cells = (f"<tr><td>{escape(name)}</td><td>{escape(value)}</td></tr>" for name, value in rows.items())
    return f"<table>{''.join(cells)}</table>"


def _list(rows: Iterable[str]) -> str:
    return f"<ul>{''.join(f'<li>{escape(row)}</li>' for row in rows)}</ul>"

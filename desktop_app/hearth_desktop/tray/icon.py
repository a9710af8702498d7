"""The arch with the ember, drawn from tokens: the state shows in the ember's shape as well as in its colour.

Everything is measured on a grid of 16, the smallest size at which it must be read. Around the arch runs a halo in the
scheme's background, because nobody tells a program what colour the panel has that its icon stands on.

Nothing here touches the namespace `Qt`: making all its enums costs 25 ms of processor time, and the icon comes first.
"""

from collections.abc import Callable
from typing import Final

from PySide6.QtCore import QPointF, QRectF
from PySide6.QtGui import (
    QBrush,
    QColor,
    QIcon,
    QLinearGradient,
    QPainter,
    QPainterPath,
    QPainterPathStroker,
    QPixmap,
    QTransform,
)

from hearth_shared.theme import PALETTES, Scheme, State, colour_of

GRID: Final = 16
SIZES: Final = (16, 22, 24, 32, 48, 64)
_OUTER, _INNER, _FLOOR = 6.0, 4.0, 13.0
_CENTRE: Final = QPointF(8.0, 7.0)
_BED: Final = QPointF(8.0, 10.0)


def arch() -> QPainterPath:
    """The hearth: two legs and a round top, on its stone."""
    stone = QPainterPath()
    stone.addRoundedRect(QRectF(0.0, _FLOOR, GRID, 2.0), 1.0, 1.0)
    return _vault(_OUTER).subtracted(_vault(_INNER)).united(stone)


def ember(state: State) -> QPainterPath:
    """What lies in the hearth."""
    return _EMBERS[state]()


def badge() -> QPainterPath:
    """A dot over the shoulder: the one badge there is, for "needs you"."""
    return _disc(QPointF(13.0, 3.0), 3.0)


def icon(state: State, scheme: Scheme) -> QIcon:
    """For tray and windows, in the sizes that panels ask for."""
    made = QIcon()
    for size in SIZES:
        made.addPixmap(pixmap(state, scheme, size))
    return made


def pixmap(state: State, scheme: Scheme, size: int) -> QPixmap:
    """One size of it."""
    made = QPixmap(size, size)
    made.fill(QColor(0, 0, 0, 0))
    painter = QPainter(made)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.scale(size / GRID, size / GRID)
    draw(painter, state, scheme)
    painter.end()
    return made


def draw(painter: QPainter, state: State, scheme: Scheme) -> None:
    """On the grid of 16, with whatever scale the painter has."""
    palette = PALETTES[scheme]
    ground, glowing = _brush(palette.background), _brush(colour_of(state, scheme))
    body, glow = arch(), ember(state)
    painter.fillPath(_halo(body.united(glow), 0.75), ground)
    painter.fillPath(body, _brush(palette.text))
    painter.fillPath(glow, glowing)
    if state is State.NEEDS_YOU:
        painter.fillPath(_halo(badge(), 1.0), ground)
        painter.fillPath(badge(), glowing)


def svg(scheme: Scheme) -> str:
    """The same as a file, for menus of applications: with the flame."""
    palette = PALETTES[scheme]
    body, flame = arch(), ember(State.THINKING)
    halo = _halo(body.united(flame), 0.75)
    paths = ((halo, palette.background), (body, palette.text), (flame, palette.accent))
    drawn = "".join(f'<path fill="{colour}" fill-rule="evenodd" d="{_commands(path)}"/>' for path, colour in paths)
    return f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {GRID} {GRID}">{drawn}</svg>\n'


def _brush(colour: str) -> QBrush:
    """One colour. Made of a QColor, it would have the binding look at `Qt` to see which overload is meant."""
    plain = QLinearGradient()
    plain.setColorAt(0, QColor(colour))
    return QBrush(plain)


def _vault(radius: float) -> QPainterPath:
    path = QPainterPath(QPointF(_CENTRE.x() - radius, _FLOOR))
    path.lineTo(_CENTRE.x() - radius, _CENTRE.y())
    path.arcTo(_around(_CENTRE, radius), 180, -180)
    path.lineTo(_CENTRE.x() + radius, _FLOOR)
    path.closeSubpath()
    return path


def _around(centre: QPointF, radius: float) -> QRectF:
    return QRectF(centre.x() - radius, centre.y() - radius, 2 * radius, 2 * radius)


def _disc(centre: QPointF, radius: float) -> QPainterPath:
    path = QPainterPath()
    path.addEllipse(centre, radius, radius)
    return path


def _flame() -> QPainterPath:
    """The flame of Hearth's other icons (packaging/icons), a little larger for its size."""
    path = QPainterPath(QPointF(8.0, 4.5))
    path.cubicTo(8.5, 6.6, 11.0, 7.7, 11.0, 10.1)
    path.cubicTo(11.0, 11.7, 9.7, 13.0, 8.0, 13.0)
    path.cubicTo(6.3, 13.0, 5.0, 11.7, 5.0, 10.1)
    path.cubicTo(5.0, 8.8, 5.8, 8.1, 6.5, 7.2)
    path.cubicTo(6.8, 7.7, 7.1, 7.8, 7.5, 8.0)
    path.cubicTo(7.7, 6.7, 7.7, 5.7, 8.0, 4.5)
    return path


def _exclamation() -> QPainterPath:
    path = QPainterPath()
    path.addRoundedRect(QRectF(7.0, 4.5, 2.0, 4.5), 1.0, 1.0)
    path.addPath(_disc(QPointF(8.0, 11.0), 1.0))
    return path


def _ring() -> QPainterPath:
    return _disc(_BED, 3.0).subtracted(_disc(_BED, 1.75))


def _bar() -> QPainterPath:
    path = QPainterPath()
    path.addRoundedRect(QRectF(5.0, 10.0, 6.0, 2.0), 1.0, 1.0)
    return path


def _pause() -> QPainterPath:
    path = QPainterPath()
    for left in (5.0, 9.0):
        path.addRoundedRect(QRectF(left, 7.0, 2.0, 5.0), 0.5, 0.5)
    return path


def _cross() -> QPainterPath:
    beam = QPainterPath()
    beam.addRoundedRect(QRectF(-3.75, -0.9, 7.5, 1.8), 0.9, 0.9)
    turned = (QTransform().translate(8.0, 9.0).rotate(degrees) for degrees in (45, -45))
    one, other = (turn.map(beam) for turn in turned)
    return one.united(other)


def _resting() -> QPainterPath:
    return _disc(_BED, 2.5)


def _halo(path: QPainterPath, width: float) -> QPainterPath:
    stroker = QPainterPathStroker()
    stroker.setWidth(2 * width)
    return stroker.createStroke(path).united(path)


def _commands(path: QPainterPath) -> str:
    """An SVG path; Qt gives a curve as three elements in a row."""
    kinds = QPainterPath.ElementType
    letters = {kinds.MoveToElement: "M", kinds.LineToElement: "L", kinds.CurveToElement: "C"}
    said: list[str] = []
    for number in range(path.elementCount()):
        element = path.elementAt(number)
        x, y = element.x, element.y  # pyright: ignore[reportUnknownVariableType, reportUnknownMemberType, reportAttributeAccessIssue]
        said.append(f"{letters.get(element.type, ' ')}{x:.3g},{y:.3g}")  # pyright: ignore[reportAttributeAccessIssue]
    return "".join(said)


_EMBERS: Final[dict[State, Callable[[], QPainterPath]]] = {
    State.IDLE: _resting,
    State.THINKING: _flame,
    State.NEEDS_YOU: _exclamation,
    State.PAUSED: _pause,
    State.LOCAL_ONLY: _ring,
    State.OFFLINE: _bar,
    State.FAULT: _cross,
}

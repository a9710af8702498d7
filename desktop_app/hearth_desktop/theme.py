"""How Hearth looks in Qt: the shared colours and measures as a palette and a stylesheet on Fusion.

The scheme follows the system (light or dark, high contrast) and changes with it. On a bare X session nobody tells: then
it is light, or what the person chose.
"""

from typing import Final

from PySide6.QtCore import QObject, Qt, Signal, Slot
from PySide6.QtGui import QColor, QFont, QFontDatabase, QGuiApplication, QPalette
from PySide6.QtWidgets import QApplication, QStyle

from hearth_shared.theme import CORNER_PX, MOTION_MS, PALETTES, STEP_PX, Palette, Scheme, State, colour_of

_ROLE = QPalette.ColorRole
_GROUP = QPalette.ColorGroup
_EFFECT = Qt.UIEffect
_EFFECTS: Final = (
    *(_EFFECT.UI_AnimateMenu, _EFFECT.UI_FadeMenu, _EFFECT.UI_AnimateCombo, _EFFECT.UI_AnimateToolBox),
    *(_EFFECT.UI_AnimateTooltip, _EFFECT.UI_FadeTooltip),
)
_DARK: Final = {Scheme.DARK, Scheme.DARK_CONTRAST}
_CONTRAST: Final = {Scheme.LIGHT_CONTRAST, Scheme.DARK_CONTRAST}


class Look(QObject):
    """The scheme that holds now, and what is made of it. Widgets that paint for themselves listen to `changed`."""

    changed = Signal()

    def __init__(self, app: QApplication, chosen: Scheme | None = None) -> None:
        super().__init__(app)
        self._app = app
        self._chosen = chosen
        self.scheme = chosen or system_scheme()
        hints = app.styleHints()
        hints.colorSchemeChanged.connect(self._on_system_changed)
        hints.accessibility().contrastPreferenceChanged.connect(self._on_system_changed)

    @property
    def palette(self) -> Palette:
        """The colours of the scheme, as `#RRGGBB`."""
        return PALETTES[self.scheme]

    @property
    def is_dark(self) -> bool:
        """Whether light stands on dark."""
        return self.scheme in _DARK

    @property
    def is_high_contrast(self) -> bool:
        """Whether borders and text are as strong as can be."""
        return self.scheme in _CONTRAST

    @property
    def motion_ms(self) -> int:
        """How long something may move; 0 when nothing may."""
        return 0 if reduced_motion() else MOTION_MS

    def colour(self, token: str) -> QColor:
        """A colour by its name in the palette."""
        return QColor(str(getattr(self.palette, token)))

    def state_colour(self, state: State) -> QColor:
        """The colour of what Hearth is doing."""
        return QColor(colour_of(state, self.scheme))

    def choose(self, scheme: Scheme | None) -> None:
        """A scheme of the person's own; None follows the system again."""
        self._chosen = scheme
        self._turn(scheme or system_scheme())

    def show(self) -> None:
        """Dress the application in it."""
        self._app.setStyle("Fusion")
        self._app.setPalette(qt_palette(self.palette))
        self._app.setStyleSheet(stylesheet(self.palette, high_contrast=self.is_high_contrast))
        for effect in _EFFECTS:  # Qt's own take longer than Hearth lets anything move
            self._app.setEffectEnabled(effect, False)

    @Slot()
    def _on_system_changed(self) -> None:
        if self._chosen is None:
            self._turn(system_scheme())

    def _turn(self, scheme: Scheme) -> None:
        if scheme != self.scheme:
            self.scheme = scheme
            self.show()
            self.changed.emit()


def apply(app: QApplication, scheme: Scheme | None = None) -> Look:
    """Dress the application, and keep it dressed as the system changes. Called once, before the first window."""
    look = Look(app, scheme)
    look.show()
    return look


def system_scheme() -> Scheme:
    """What the system asks for."""
    hints = QGuiApplication.styleHints()
    dark = hints.colorScheme() == Qt.ColorScheme.Dark
    if hints.accessibility().contrastPreference() == Qt.ContrastPreference.HighContrast:
        return Scheme.DARK_CONTRAST if dark else Scheme.LIGHT_CONTRAST
    return Scheme.DARK if dark else Scheme.LIGHT


def reduced_motion() -> bool:
    """Whether the system asks that nothing moves."""
    style = QApplication.style()
    duration = style.styleHint(QStyle.StyleHint.SH_Widget_Animation_Duration)
    return duration == 0 or not QApplication.isEffectEnabled(Qt.UIEffect.UI_General)


def text_font() -> QFont:
    """The system's font."""
    return QFontDatabase.systemFont(QFontDatabase.SystemFont.GeneralFont)


def code_font() -> QFont:
    """The system's monospace, a little smaller, so that it stands beside text of the same size."""
    font = QFontDatabase.systemFont(QFontDatabase.SystemFont.FixedFont)
    font.setStyleHint(QFont.StyleHint.Monospace)
    font.setPointSizeF(text_font().pointSizeF() * 0.95)
    return font


def qt_palette(colours: Palette) -> QPalette:
    """The palette that Fusion paints with."""
    palette = QPalette()
    for role, colour in {
        _ROLE.Window: colours.background,
        _ROLE.WindowText: colours.text,
        _ROLE.Base: colours.surface,
        _ROLE.AlternateBase: colours.raised,
        _ROLE.Text: colours.text,
        _ROLE.PlaceholderText: colours.muted,
        _ROLE.Button: colours.raised,
        _ROLE.ButtonText: colours.text,
        _ROLE.BrightText: colours.danger,
        _ROLE.ToolTipBase: colours.raised,
        _ROLE.ToolTipText: colours.text,
        _ROLE.Highlight: colours.accent,
        _ROLE.HighlightedText: colours.on_accent,
        _ROLE.Accent: colours.accent,
        _ROLE.Link: colours.accent,
        _ROLE.LinkVisited: colours.accent,
        _ROLE.Light: colours.surface,
        _ROLE.Midlight: colours.raised,
        _ROLE.Mid: colours.border,
        _ROLE.Dark: colours.border,
        _ROLE.Shadow: colours.border,
    }.items():
        palette.setColor(role, QColor(colour))
    for role in (_ROLE.WindowText, _ROLE.Text, _ROLE.ButtonText):
        palette.setColor(_GROUP.Disabled, role, QColor(colours.muted))
    return palette


def stylesheet(colours: Palette, *, high_contrast: bool = False) -> str:
    """Corners, spacing and states of the common widgets.

    Kinds of their own are named by the property `kind`: `primary`, `quiet`, `chip` and `danger` buttons; `card`, `bar`
    and `notice` frames; `title`, `muted`, `ok`, `warn`, `danger` and `info` labels.
    """
    values = {name: str(value) for name, value in colours._asdict().items()}
    values |= {"corner": f"{CORNER_PX}px", "half": f"{CORNER_PX // 2}px", "line": "2px" if high_contrast else "1px"}
    values |= {f"s{number}": f"{number * STEP_PX}px" for number in range(1, 7)}
    values["hover"] = colours.raised if not high_contrast else colours.surface
    sheet = _SHEET
    for name in sorted(values, key=len, reverse=True):
        sheet = sheet.replace(f"@{name}", values[name])
    return sheet


_SHEET: Final = """
QToolTip { background: @raised; color: @text; border: @line solid @border; padding: @s1 @s2; }
QMenu { background: @surface; color: @text; border: @line solid @border; border-radius: @corner; padding: @s1; }
QMenu::item { padding: 6px @s5 6px @s3; border-radius: @half; }
QMenu::item:selected { background: @accent; color: @on_accent; }
QMenu::item:disabled { color: @muted; background: transparent; }
QMenu::separator { height: 1px; background: @border; margin: @s1 @s2; }

QPushButton, QToolButton {
  background: @surface; color: @text; border: @line solid @border; border-radius: @corner; padding: 6px @s3;
}
QPushButton:hover, QToolButton:hover { background: @hover; border-color: @muted; }
QPushButton:pressed, QToolButton:pressed { background: @border; }
QPushButton:focus, QToolButton:focus { border: 2px solid @accent; padding: 5px 11px; }
QPushButton:disabled, QToolButton:disabled { color: @muted; background: @background; }
QPushButton:checked, QToolButton:checked { background: @raised; border-color: @accent; color: @accent; }
QPushButton[kind="primary"], QToolButton[kind="primary"] {
  background: @accent; color: @on_accent; border-color: @accent; font-weight: 600;
}
QPushButton[kind="primary"]:focus, QToolButton[kind="primary"]:focus { border-color: @text; }
QPushButton[kind="primary"]:disabled, QToolButton[kind="primary"]:disabled {
  background: @raised; color: @muted; border-color: @border;
}
QPushButton[kind="danger"] { color: @danger; border-color: @danger; }
QPushButton[kind="quiet"], QToolButton[kind="quiet"] {
  background: transparent; border-color: transparent; color: @muted; padding: @s1 @s2;
}
QPushButton[kind="quiet"]:hover, QToolButton[kind="quiet"]:hover { background: @raised; color: @text; }
QPushButton[kind="quiet"]:focus, QToolButton[kind="quiet"]:focus { border: 2px solid @accent; padding: 3px 7px; }
QPushButton[kind="quiet"]:checked, QToolButton[kind="quiet"]:checked { color: @accent; background: @raised; }
QPushButton[kind="quiet"]:disabled, QToolButton[kind="quiet"]:disabled { color: @border; background: transparent; }
QPushButton[kind="chip"] {
  background: @raised; color: @text; border: @line solid @border; padding: 3px @s2; text-align: left;
}
QPushButton[kind="chip"]:hover { border-color: @accent; }
QPushButton[kind="chip"]:focus { border: 2px solid @accent; padding: 2px 7px; }

QLineEdit, QPlainTextEdit, QTextEdit, QSpinBox, QDoubleSpinBox, QComboBox {
  background: @surface; color: @text; border: @line solid @border; border-radius: @corner; padding: 6px @s2;
  selection-background-color: @accent; selection-color: @on_accent;
}
QLineEdit:focus, QPlainTextEdit:focus, QTextEdit:focus, QSpinBox:focus, QDoubleSpinBox:focus, QComboBox:focus {
  border: 2px solid @accent; padding: 5px 7px;
}
QLineEdit:disabled, QPlainTextEdit:disabled, QComboBox:disabled { color: @muted; background: @background; }
QComboBox::drop-down { border: none; width: 24px; }
QComboBox QAbstractItemView {
  background: @surface; color: @text; border: @line solid @border;
  selection-background-color: @accent; selection-color: @on_accent;
}
QCheckBox, QRadioButton { spacing: @s2; }

QListView, QTreeView, QTableView {
  background: @surface; color: @text; border: @line solid @border; border-radius: @corner;
  selection-background-color: @raised; selection-color: @text; outline: none;
}
QHeaderView::section { background: @background; color: @muted; border: none; padding: @s1 @s2; }
QTabBar::tab { background: transparent; color: @muted; padding: @s2 @s3; border-bottom: 2px solid transparent; }
QTabBar::tab:selected { color: @text; border-bottom-color: @accent; }
QTabBar::tab:focus { color: @accent; }
QTabWidget::pane { border: none; border-top: @line solid @border; }
QProgressBar {
  background: @raised; border: none; border-radius: @half; color: @text; text-align: center; min-height: @s2;
}
QProgressBar::chunk { background: @accent; border-radius: @half; }
QSplitter::handle { background: @border; }
QGroupBox { border: @line solid @border; border-radius: @corner; margin-top: @s4; padding: @s3; }
QGroupBox::title { subcontrol-origin: margin; left: @s2; color: @muted; }

QScrollBar:vertical { background: transparent; width: 12px; margin: 2px; }
QScrollBar:horizontal { background: transparent; height: 12px; margin: 2px; }
QScrollBar::handle { background: @border; border-radius: 4px; }
QScrollBar::handle:vertical { min-height: 32px; }
QScrollBar::handle:horizontal { min-width: 32px; }
QScrollBar::handle:hover { background: @muted; }
QScrollBar::add-line, QScrollBar::sub-line { width: 0; height: 0; }
QScrollBar::add-page, QScrollBar::sub-page { background: transparent; }

QFrame[kind="card"] { background: @surface; border: @line solid @border; border-radius: @corner; }
QFrame[kind="chosen"] { background: @surface; border: @line solid @accent; border-radius: @corner; }
QFrame[kind="bar"] { background: @background; border: none; border-bottom: @line solid @border; }
QFrame[kind="notice"] { background: @raised; border: @line solid @border; border-radius: @corner; }
QLabel[kind="title"] { font-weight: 600; }
QLabel[kind="muted"] { color: @muted; }
QLabel[kind="ok"] { color: @ok; }
QLabel[kind="warn"] { color: @warn; }
QLabel[kind="danger"] { color: @danger; }
QLabel[kind="info"] { color: @info; }
QLabel[kind="accent"] { color: @accent; }
"""

"""One option as a row: its name, what it is, what it does, and what is wrong with what was typed."""

from collections.abc import Callable, Sequence
from typing import Any, Final

from PySide6.QtCore import QObject, Signal, Slot
from PySide6.QtWidgets import QComboBox, QLineEdit, QWidget

from hearth_desktop.marks import Check
from hearth_desktop.settings import schema
from hearth_desktop.settings.schema import Kind, Option
from hearth_desktop.widgets import S1, S2, S3, Choice, button, column, label, row, say

_NUMBER_WIDTH: Final = 144
_FIELD_WIDTH: Final = 320


class OptionRow(QWidget):
    """Shows an option and emits what it is to be."""

    wanted = Signal(str, object)
    """Name and value; the value has the option's type."""

    def __init__(self, option: Option, suggestions: Sequence[str] = ()) -> None:
        super().__init__()
        self.option = option
        self._title = label(option.title, "title")
        self._mark = label("changed", "accent")
        self._reset = button("", "quiet")
        self._fault = label(kind="danger")
        self._note = label(kind="muted")
        self._field = _field(option, suggestions, self)
        self._field.widget.setAccessibleName(option.title)
        self._field.widget.setAccessibleDescription(option.help)
        self._mark.setWordWrap(False)
        self._title.setWordWrap(False)
        top = row(self._title, self._mark, -1, self._reset, spacing=S2)
        entry = row(self._field.widget, -1)
        help_line = label(option.help, "muted")
        self.setLayout(column(top, help_line, entry, self._fault, self._note, spacing=S1))
        self.layout().setContentsMargins(0, S2, 0, S3)  # pyright: ignore[reportOptionalMemberAccess]
        self._reset.clicked.connect(self._on_reset)
        say(self._fault, "", "danger")
        self.show_option(option, suggestions)

    @property
    def field(self) -> QWidget:
        """Where the value is entered."""
        return self._field.widget

    @property
    def fault(self) -> str:
        """What is wrong with what stands there; empty when nothing is."""
        return self._fault.text()

    def show_option(self, option: Option, suggestions: Sequence[str] = ()) -> None:
        """As it is stored; what is being typed stays."""
        self.option = option
        self._field.suggest(suggestions)
        if not self._fault.text() and not self._is_being_typed():
            self._field.show(option.value)
        self._mark.setVisible(option.is_changed)
        self._reset.setVisible(option.is_changed and not option.locked_by)
        self._reset.setText(f"Back to {schema.as_default(option)}")
        self._reset.setAccessibleName(f"{option.title}: back to {schema.as_default(option)}")
        self._field.widget.setEnabled(not option.locked_by)
        say(self._note, f"Set by {option.locked_by} in the environment, which counts more." if option.locked_by else "")

    def say_fault(self, text: str) -> None:
        """It cannot be that."""
        say(self._fault, text, "danger")
        self._field.widget.setAccessibleDescription(f"{text} {self.option.help}".strip())

    def take(self, value: Any) -> None:
        """The person entered a value."""
        self.say_fault("")
        if value != self.option.value:
            self.wanted.emit(self.option.name, value)

    def take_text(self, text: str) -> None:
        """The person typed something, which may be no value."""
        try:
            value = schema.parsed(self.option, text)
        except ValueError as error:
            self.say_fault(str(error))
        else:
            self.take(value)

    def _is_being_typed(self) -> bool:
        widget = self._field.widget
        return isinstance(widget, QLineEdit) and widget.isModified() and widget.hasFocus()

    @Slot()
    def _on_reset(self) -> None:
        self.say_fault("")
        self._field.show(self.option.default)
        self.take(self.option.default)


class _Switch(QObject):
    def __init__(self, host: OptionRow) -> None:
        super().__init__(host)
        self.widget = Check("On")
        self._host = host
        self.widget.clicked.connect(host.take)

    def show(self, value: Any) -> None:
        self.widget.setChecked(bool(value))

    def suggest(self, _suggestions: Sequence[str]) -> None:
        pass


class _Choice(QObject):
    """A list; with `is_open`, anything may be typed into it."""

    def __init__(self, host: OptionRow, choices: Sequence[str], *, is_open: bool) -> None:
        super().__init__(host)
        self.widget = Choice()
        self._host = host
        self.widget.setEditable(is_open)
        self.widget.setMinimumWidth(_FIELD_WIDTH)
        self.widget.setInsertPolicy(QComboBox.InsertPolicy.NoInsert)
        self.widget.addItems(list(choices))
        self.widget.activated.connect(self._on_activated)
        if (editor := self.widget.lineEdit()) is not None:  # pyright: ignore[reportUnnecessaryComparison]
            editor.editingFinished.connect(self._on_activated)

    def show(self, value: Any) -> None:
        if self.widget.isEditable():
            self.widget.setEditText(schema.shown(value))
        else:
            self.widget.setCurrentText(schema.shown(value))

    def suggest(self, suggestions: Sequence[str]) -> None:
        if suggestions and list(suggestions) != [self.widget.itemText(n) for n in range(self.widget.count())]:
            text = self.widget.currentText()
            self.widget.clear()
            self.widget.addItems(list(suggestions))
            self.widget.setEditText(text)

    @Slot()
    def _on_activated(self) -> None:
        self._host.take(self.widget.currentText().strip())


class _Line(QObject):
    def __init__(self, host: OptionRow, width: int) -> None:
        super().__init__(host)
        self.widget = QLineEdit()
        self._host = host
        self.widget.setFixedWidth(width)
        self.widget.editingFinished.connect(self._on_finished)

    def show(self, value: Any) -> None:
        self.widget.setText(schema.shown(value))

    def suggest(self, _suggestions: Sequence[str]) -> None:
        pass

    @Slot()
    def _on_finished(self) -> None:
        self._host.take_text(self.widget.text())


Field = _Switch | _Choice | _Line


def _field(option: Option, suggestions: Sequence[str], host: OptionRow) -> Field:
    made: dict[Kind, Callable[[], Field]] = {
        Kind.SWITCH: lambda: _Switch(host),
        Kind.CHOICE: lambda: _Choice(host, option.choices, is_open=False),
        Kind.WHOLE: lambda: _Line(host, _NUMBER_WIDTH),
        Kind.NUMBER: lambda: _Line(host, _NUMBER_WIDTH),
        Kind.TEXT: lambda: _Choice(host, suggestions, is_open=True) if suggestions else _Line(host, _FIELD_WIDTH),
    }
    return made[option.kind]()

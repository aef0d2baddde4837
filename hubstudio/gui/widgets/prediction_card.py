"""One photo's answer: the photo, its name, and its likeliest classes with bars; or why there is none."""

from __future__ import annotations

from PySide6.QtCore import QRect, QSize, Qt
from PySide6.QtGui import QColor, QPainter, QPaintEvent
from PySide6.QtWidgets import QFrame, QHBoxLayout, QSizePolicy, QVBoxLayout, QWidget

from hubstudio.core.engine import Prediction
from hubstudio.gui.theme import colours_of
from hubstudio.gui.thumbnails import Thumbnails
from hubstudio.gui.widgets.elided_label import ElidedLabel
from hubstudio.gui.widgets.photo_view import PhotoView
from hubstudio.gui.widgets.wrapped_label import WrappedLabel

_PHOTO_SIDE = 112
_SHOWN_CLASSES = 3
_BAR_HEIGHT = 6
Score = tuple[str, float]


class PredictionCard(QFrame):
    """Shows one prediction; a screen reader gets it as one sentence."""

    def __init__(self, prediction: Prediction, thumbnails: Thumbnails, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.prediction = prediction
        self.setProperty("role", "card")
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self.setAccessibleName(prediction_text(prediction))
        photo = PhotoView(thumbnails, _PHOTO_SIDE)
        photo.show_photo(prediction.file)
        row = QHBoxLayout(self)
        row.setContentsMargins(14, 14, 14, 14)
        row.setSpacing(12)
        row.addWidget(photo, 0, Qt.AlignmentFlag.AlignTop)
        row.addLayout(self._words(), 1)

    def _words(self) -> QVBoxLayout:
        name = ElidedLabel(self.prediction.file.name, Qt.TextElideMode.ElideMiddle)
        name.setProperty("role", "muted")
        name.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
        column = QVBoxLayout()
        column.setSpacing(6)
        column.addWidget(name)
        if self.prediction.error:
            column.addWidget(WrappedLabel("Could not be read", "bad"))
            column.addWidget(WrappedLabel(_sentence(self.prediction.error), "muted"))
            column.addStretch(1)
        else:
            column.addWidget(ScoreBars(self.prediction.top(_SHOWN_CLASSES)), 1)
        return column


class ScoreBars(QWidget):
    """Class names, percent and bars; one painted widget, since there may be hundreds of cards."""

    def __init__(self, scores: list[Score], parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._scores = scores
        self.setAccessibleName(", ".join(f"{name} {whole_percent(share)}" for name, share in scores))
        self.setToolTip("\n".join(f"{name} {whole_percent(share)}" for name, share in scores))
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)

    def sizeHint(self) -> QSize:
        """Room for three classes, so that all cards are alike."""
        return QSize(140, self._line_height() * _SHOWN_CLASSES)

    def minimumSizeHint(self) -> QSize:
        """The same height, narrower."""
        return QSize(100, self.sizeHint().height())

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw a line and a bar for each class."""
        del event
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        for place, score in enumerate(self._scores):
            self._paint_score(painter, place * self._line_height(), score)
        painter.end()

    def _paint_score(self, painter: QPainter, top: int, score: Score) -> None:
        name, share = score
        colours, metrics = colours_of(self.palette()), self.fontMetrics()
        number = whole_percent(share)
        width = metrics.horizontalAdvance(number)
        painter.setPen(QColor(colours.text))
        line = QRect(0, top, self.width(), metrics.height())
        painter.drawText(line, Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter, number)
        shown = metrics.elidedText(name, Qt.TextElideMode.ElideRight, self.width() - width - 12)
        painter.drawText(line, Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter, shown)
        bar = QRect(0, line.bottom() + 3, self.width(), _BAR_HEIGHT)
        painter.fillRect(bar, QColor(colours.track))
        bar.setWidth(max(2, round(self.width() * share)))
        painter.fillRect(bar, QColor(colours.accent))

    def _line_height(self) -> int:
        return self.fontMetrics().height() + _BAR_HEIGHT + 9


def prediction_text(prediction: Prediction) -> str:
    """Return 'IMG_2041.jpg: sunflower 98 %', or what is wrong with the file."""
    if prediction.error:
        return f"{prediction.file.name}: could not be read, {prediction.error}"
    return f"{prediction.file.name}: {prediction.label} {whole_percent(prediction.confidence)}"


def whole_percent(share: float) -> str:
    """Return '98 %'; what is not quite all or nothing is not rounded to it."""
    rounded = round(share * 100)
    if rounded == 100 and share < 1:
        return "> 99 %"
    return "< 1 %" if rounded == 0 and share > 0 else f"{rounded} %"


def _sentence(reason: str) -> str:
    return f"{reason[:1].upper()}{reason[1:]}."

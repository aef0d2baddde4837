"""The classes of a photo folder as cards: name, count, a few photos, and how many compared to the largest."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path

from PySide6.QtCore import QTimer
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QHBoxLayout, QLabel, QWidget

from hubstudio.core.photos import PhotoSet, count_of
from hubstudio.gui.thumbnails import Thumbnails
from hubstudio.gui.widgets.card import Card
from hubstudio.gui.widgets.flow import CardGrid
from hubstudio.gui.widgets.photo_view import PhotoView
from hubstudio.gui.widgets.share_bar import ShareBar

_FEWEST, _MOST, _SIDE, _GAP = 4, 8, 64, 6
CARD_WIDTH = _FEWEST * (_SIDE + _GAP) - _GAP + 30
_CARDS_AT_ONCE = 2  # a few milliseconds, and several times that beside busy threads


class ClassCard(Card):
    """One class."""

    def __init__(self, thumbnails: Thumbnails) -> None:
        super().__init__(" ")
        self.setProperty("role", "card")
        self.count = QLabel()
        self.count.setProperty("role", "muted")
        self.header.addWidget(self.count)
        self._thumbnails = thumbnails
        self._photos: Sequence[Path] = ()
        self._room = _FEWEST
        self.views: list[PhotoView] = []
        self._row = QHBoxLayout()
        self._row.setSpacing(_GAP)
        self._row.addStretch(1)
        self.bar = ShareBar()
        self.body.addLayout(self._row)
        self.body.addWidget(self.bar)

    def show_class(self, name: str, photos: Sequence[Path], largest: int) -> None:
        """Show a class with its photos."""
        self._photos = photos
        self.title.setText(name)
        self.count.setText(f"{len(photos):,}")
        self.setAccessibleName(f"{name}, {count_of(len(photos), 'photo')}")
        self.bar.show_parts([(len(photos) / max(1, largest), "accent")])
        self._show_photos()

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Show as many photos as fit."""
        super().resizeEvent(event)
        room = (event.size().width() - 28 + _GAP) // (_SIDE + _GAP)
        self._room = min(max(room, _FEWEST), _MOST)
        self._show_photos()

    def _show_photos(self) -> None:
        while len(self.views) < self._room:
            self.views.append(PhotoView(self._thumbnails, _SIDE))
            self._row.insertWidget(len(self.views) - 1, self.views[-1])
        shown = spread(self._photos, self._room)
        for place, view in enumerate(self.views):
            view.setVisible(place < len(shown))
            if place < len(shown):
                view.show_photo(shown[place])


def spread(photos: Sequence[Path], count: int) -> Sequence[Path]:
    """Return so many photos, taken evenly from the whole list: neighbours are often nearly the same shot."""
    return photos if len(photos) <= count else [photos[place * len(photos) // count] for place in range(count)]


class ClassCards(QWidget):
    """All classes in as many columns as fit; built a few at a time, so that hundreds do not hold up the window."""

    def __init__(self, thumbnails: Thumbnails) -> None:
        super().__init__()
        self._thumbnails = thumbnails
        self.cards: list[ClassCard] = []
        self._wanted: list[tuple[str, list[Path]]] = []
        self._largest = 1
        self.grid = CardGrid(CARD_WIDTH)
        self.setLayout(self.grid)
        self._build_timer = QTimer(self)
        self._build_timer.timeout.connect(self._build_some)

    def show_photos(self, photo_set: PhotoSet) -> None:
        """Show the classes of a set; cards that are there are used again."""
        by_class: defaultdict[str, list[Path]] = defaultdict(list)
        for photo in photo_set.photos:
            by_class[photo.class_name].append(photo.path)
        self._wanted = [(name, by_class[name]) for name in photo_set.classes]
        self._largest = max((len(paths) for _, paths in self._wanted), default=1)
        self._drop_cards(len(self._wanted))
        for card, (name, paths) in zip(self.cards, self._wanted, strict=False):
            card.show_class(name, paths, self._largest)
        self._build_some()

    def _build_some(self) -> None:
        for name, paths in self._wanted[len(self.cards) :][:_CARDS_AT_ONCE]:
            card = ClassCard(self._thumbnails)
            card.show_class(name, paths, self._largest)
            self.cards.append(card)
            self.grid.addWidget(card)
        if len(self.cards) < len(self._wanted):
            self._build_timer.start(0)
        else:
            self._build_timer.stop()

    def _drop_cards(self, keep: int) -> None:
        for card in self.cards[keep:]:
            self.grid.removeWidget(card)
            card.hide()
            card.deleteLater()
        del self.cards[keep:]

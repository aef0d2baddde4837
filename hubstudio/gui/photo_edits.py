"""What a person chose about the photos, how it is changed, and how changes are taken back: values and no Qt."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from hubstudio.core import path_kinds
from hubstudio.core.photos import count_of, name_below
from hubstudio.core.plan import Plan
from hubstudio.core.selection import is_table, root_of


@dataclass(frozen=True)
class PhotoChoices:
    """The fields of a plan that say which photos are meant, what their classes are called, and whose split is kept."""

    photos: str = ""
    more_photos: tuple[str, ...] = ()
    left_out: tuple[str, ...] = ()
    renamed: tuple[tuple[str, str], ...] = ()
    split_file: str = ""

    @classmethod
    def of(cls, plan: Plan | None) -> PhotoChoices:
        """Return the choices in a plan."""
        if plan is None:
            return cls()
        return cls(plan.photos, plan.more_photos, plan.left_out, plan.renamed, plan.split_file)

    @property
    def sources(self) -> tuple[str, ...]:
        """Folders and tables."""
        return (self.photos, *self.more_photos) if self.photos else ()

    @property
    def root(self) -> Path:
        """What names of photos are relative to."""
        return root_of(Path(self.photos))

    def applied_to(self, plan: Plan | None) -> Plan:
        """Return a plan with these choices. Raises ``PlanError`` for names that are no text."""
        return replace(
            plan or Plan(photos=self.photos),
            photos=self.photos,
            more_photos=self.more_photos,
            left_out=self.left_out,
            renamed=self.renamed,
            split_file=self.split_file,
        )

    def needs_listing_after(self, former: PhotoChoices) -> bool:
        """Whether other photos or classes are meant than before; else they are at most divided anew."""
        return replace(self, split_file="") != replace(former, split_file="")


@dataclass(frozen=True)
class Edit:
    """A change of the choices, with the words that undoing it is offered with."""

    name: str
    """A wish, such as "Leave out 3 photos"."""
    before: PhotoChoices
    after: PhotoChoices


class EditHistory:
    """The edits that can be taken back, and those that were."""

    def __init__(self) -> None:
        self._done: list[Edit] = []
        self._undone: list[Edit] = []

    def add(self, edit: Edit) -> None:
        """Note an edit; what was taken back before cannot be done again any more."""
        self._done.append(edit)
        self._undone.clear()

    @property
    def to_undo(self) -> str:
        """What ``undo`` would take back; empty if nothing."""
        return self._done[-1].name if self._done else ""

    @property
    def to_redo(self) -> str:
        """What ``redo`` would do again; empty if nothing."""
        return self._undone[-1].name if self._undone else ""

    def undo(self) -> Edit | None:
        """Return the last edit, which counts as taken back from now on."""
        if not self._done:
            return None
        self._undone.append(self._done.pop())
        return self._undone[-1]

    def redo(self) -> Edit | None:
        """Return the edit taken back last, which counts as done from now on."""
        if not self._undone:
            return None
        self._done.append(self._undone.pop())
        return self._done[-1]

    def clear(self) -> None:
        """Forget everything: another project begins."""
        self._done.clear()
        self._undone.clear()


def choosing(paths: Sequence[Path], former: PhotoChoices) -> PhotoChoices:
    """Return choices of other sources; the same ones again keep what was chosen among them."""
    sources = tuple(dict.fromkeys(str(path_kinds.whole(path)) for path in paths))
    if sources == former.sources:
        return former
    return PhotoChoices(photos=sources[0], more_photos=sources[1:])


def adding(paths: Sequence[Path], former: PhotoChoices) -> PhotoChoices:
    """Return choices with further sources; without photos so far, these are the photos."""
    if not former.photos:
        return choosing(paths, former)
    given = dict.fromkeys(str(path_kinds.whole(path)) for path in paths)
    new = tuple(path for path in given if path not in former.sources)
    return replace(former, more_photos=(*former.more_photos, *new))


def leaving_out(paths: Iterable[Path], former: PhotoChoices) -> PhotoChoices:
    """Return choices without some photos."""
    names = (name_below(path, former.root) for path in paths)
    return replace(former, left_out=tuple(dict.fromkeys((*former.left_out, *names))))


def putting_back(paths: Iterable[Path], former: PhotoChoices) -> PhotoChoices:
    """Return choices with some photos that were left out."""
    names = {name_below(path, former.root) for path in paths}
    return replace(former, left_out=tuple(name for name in former.left_out if name not in names))


def renaming(old: str, new: str, former: PhotoChoices, found_classes: Collection[str]) -> PhotoChoices:
    """Return choices in which the class shown as ``old`` is called ``new``; with an existing name they are one.

    ``found_classes`` are the classes as the folders call them.
    """
    pairs = {found: new if wanted == old else wanted for found, wanted in former.renamed}
    if old in found_classes:
        pairs.setdefault(old, new)  # unless the folder of this name is called otherwise already
    return replace(former, renamed=tuple((found, wanted) for found, wanted in pairs.items() if found != wanted))


def sources_text(paths: Sequence[Path]) -> str:
    """Return "'daisy' and 'iris'", or their number where there are many."""
    names = [f"'{path.name or path}'" for path in paths]
    if len(names) > 3:
        return f"{len(names)} folders"
    return " and ".join(filter(None, (", ".join(names[:-1]), names[-1])))


def photos_text(verb: str, paths: Sequence[Path]) -> str:
    """Return "Leave out 'a.jpg'" or "Leave out 3 photos"."""
    return f"{verb} '{paths[0].name}'" if len(paths) == 1 else f"{verb} {count_of(len(paths), 'photo')}"


def namesake(plan: Plan) -> Path:
    """Return the path that a project on these photos is named after."""
    source = Path(plan.photos)
    if is_table(source):
        return source.with_suffix("")
    return source.parent if plan.more_photos and source.parent.name else source

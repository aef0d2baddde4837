"""Sentences on backbones: what a card, the depth and the costs say."""

from __future__ import annotations

from hubstudio.core.backbones import BackboneInfo, Endpoint
from hubstudio.core.cost import Cost, moved_blocks, time_text
from hubstudio.core.plan import Mode, Plan
from hubstudio.gui.downloads import Download, Stage
from hubstudio.gui.shelf import Presence, ShelfRow
from hubstudio.gui.wording import duration_text, size_text

_PRESENCE = {
    Presence.BUNDLED: "Bundled",
    Presence.HERE: "Own folder",
    Presence.READY: "Ready",
    Presence.ABSENT: "Not here yet",
    Presence.PARTIAL: "Download paused",
    Presence.BROKEN: "Broken",
    Presence.REFUSED: "Cannot be used",
    Presence.GONE: "Not there any more",
}


def state_text(row: ShelfRow, download: Download | None) -> str:
    """Return 'Ready · 9.4 MB', 'Downloading 40 %' or 'Broken'."""
    if download:
        return download_text(download)
    word = _PRESENCE[row.presence]
    if row.presence.is_usable and row.bytes:
        return f"{word} · {size_text(row.bytes)}"
    if row.presence is Presence.PARTIAL and row.bytes:
        return f"{word} · {size_text(row.bytes)} here"
    return word


def download_text(download: Download) -> str:
    """Return how far a download is, in a few words."""
    if download.stage is Stage.WAITING:
        return "Waiting"
    if download.stage is Stage.CHECKING:
        return "Checking"
    if download.total:
        return f"Downloading {download.fraction * 100:.0f} %"
    return f"Downloading · {size_text(download.done)}" if download.done else "Connecting"


def fetching_text(name: str, download: Download) -> str:
    """Return the whole of what goes on: 'Downloading MobileNetV2 1.0: 40 % of 20 MB, 2.0 MB/s, 3 s left'."""
    if download.stage is Stage.WAITING:
        return f"{name} waits for another download."
    if download.stage is Stage.CHECKING:
        return f"Checking {name} …"
    if not download.done:
        return f"Connecting to download {name} …"
    here = size_text(download.done)
    if download.total:
        here = f"{download.fraction * 100:.0f} % of {size_text(download.total)}"
    return f"Downloading {name}: " + ", ".join(part for part in (here, download.rest) if part)


def action_text(row: ShelfRow) -> str:
    """Return what the card's button does: fetch, go on fetching, or mend; empty if there is nothing to fetch."""
    about = "about " if row.size_is_computed else ""
    size = f" {about}{size_text(row.size)}" if row.size else ""
    if row.presence is Presence.ABSENT:
        return f"Download{size}"
    if row.presence is Presence.PARTIAL:
        return "Resume"
    return "Mend" if row.presence is Presence.BROKEN else ""


def input_text(row: ShelfRow, info: BackboneInfo | None) -> str:
    """Return '224 px' or 'any size'; empty if nobody knows."""
    if info:
        return info.size_text
    published = row.row
    if published is None:
        return ""
    if published.any_size:
        return "any size"
    return f"{published.input_size} px" if published.input_size else ""


def imagenet_text(row: ShelfRow) -> str:
    """Return '71.8 %', or a dash where nobody has published it."""
    top1 = row.row.imagenet_top1 if row.row else None
    return "—" if top1 is None else f"{top1:.1f} %"


def photo_sets_figures(row: ShelfRow) -> str:
    """Return '91/84/92 %', a figure for each photo set that it was measured on; empty if there are none."""
    figures = row.row.photo_sets_text if row.row else ""
    return f"{figures} %" if figures else ""


def photo_sets_text(row: ShelfRow) -> str:
    """Return how well a simple classifier does on its features, photo set by photo set; empty if nobody measured it."""
    if not row.row or not row.row.photo_sets:
        return ""
    each = ", ".join(f"{photos} {percent:.1f} %" for photos, percent in row.row.photo_sets.items())
    return f"Logistic regression on its features: {each}"


def here_text(seconds: float | None) -> str:
    """Return '28 s' or '2 min 40 s', or a dash where nothing was measured."""
    return "—" if seconds is None else rough_text(seconds)


def rough_text(seconds: float) -> str:
    """Return a predicted time, no more exact than it is: '8 s', '40 s', '6 min', '2.5 h'."""
    return time_text(seconds).removeprefix("about ")


def estimate_text(cost: Cost) -> str:
    """Return what a training will take, for the mode card and the Train page."""
    return f"Estimated on this computer: {cost}."


def truth_text(predicted: float, took: float) -> str:
    """Return how a prediction compares with what happened."""
    return f"Predicted {rough_text(predicted)}, took {duration_text(took)}."


def depth_text(depth: int, info: BackboneInfo) -> str:
    """Return what moves at a depth, with its share of the parameters."""
    blocks = len(info.blocks)
    if depth == 0:
        return "Head only: no block of the backbone moves"
    share = share_of_parameters(depth, info)
    percent = "less than 1 %" if 0 < share < 0.01 else f"{share * 100:.0f} %"
    some = f"the last {depth} of {blocks} blocks" if depth > 1 else f"the last of {blocks} blocks"
    what = f"all {blocks} blocks" if depth >= blocks else some
    return f"Retrain {what} · {percent} of the parameters"


def share_of_parameters(depth: int, info: BackboneInfo) -> float:
    """Return which share of the backbone's parameters moves with the last ``depth`` blocks, 0 to 1."""
    moving = sum(block.trainable for block in info.blocks[len(info.blocks) - depth :]) if depth else 0
    return moving / info.parameters if info.parameters else 0.0


def depth_of(plan: Plan, info: BackboneInfo) -> int:
    """Return how many of the last blocks move by the plan."""
    return 0 if plan.mode is Mode.EXTRACT else moved_blocks(plan, info)


def endpoint_text(endpoint: Endpoint) -> str:
    """Return an endpoint's name and the length of what it gives."""
    return f"{endpoint.name} · {endpoint.features:,} features"


def shape_text(shape: tuple[int | None, ...]) -> str:
    """Return '7 × 7 × 320'; a question mark where the photo's size decides."""
    return " × ".join("?" if side is None else f"{side:,}" for side in shape)

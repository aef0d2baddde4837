"""The real window with the real engine, driven from outside: by its accessible names, by mouse and keyboard."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from e2e.accessibility import Role, State
from e2e.conftest import OpenStudio, Trained
from e2e.studio_window import BUTTONS, StudioWindow
from hubstudio.core import paths
from hubstudio.core.project import Project, open_project
from hubstudio.core.run_folder import RunFolder

pytestmark = [pytest.mark.screen, pytest.mark.slow]

EPOCHS = 100  # enough to see some go by
LONG = 10_000  # epochs that nobody waits for
SECONDS_TO_END = 20.0
STEPS = ("Photos", "Backbone", "Train", "Review", "Classify", "Export")
FORMATS = ("Keras", "SavedModel", "TFLite")


def test_the_whole_journey(
    open_studio: OpenStudio, samples: Path, classes: dict[str, list[Path]], broken_photo: Path, tmp_path: Path
) -> None:
    studio = open_studio()
    drop_the_samples(studio, samples, classes)
    train_some_epochs(studio)
    accuracy = review(studio)
    classify(studio, [photos[0] for photos in classes.values()][:3], broken_photo)
    export(studio, tmp_path / "exported models")
    studio.ask_to_close()
    assert studio.wait_for_end() == 0
    assert "Traceback" not in studio.said()
    project = only_project()
    assert len(project.runs()) == 1
    assert 1 < len(project.runs()[0].history()) <= EPOCHS  # it ends earlier once nothing gets better
    opens_where_it_was(open_studio(project.folder), project, accuracy)


def drop_the_samples(studio: StudioWindow, samples: Path, classes: dict[str, list[Path]]) -> None:
    first_is(studio, "Photo drop zone")
    first_is(studio, "Choose folder", *BUTTONS)
    studio.drop("Photo drop zone", [samples])
    photos = sum(map(len, classes.values()))
    studio.wait_for_text(f"{len(classes)} classes · {photos} photos")
    studio.wait_for_text(f"{photos} photos readable")
    studio.press("Next")
    studio.wait_for(lambda: studio.find("Studio Mini", [Role.RADIO_BUTTON]).has(State.CHECKED), "nothing is chosen")
    studio.press("Next")


def train_some_epochs(studio: StudioWindow) -> None:
    studio.set_number("Epochs", EPOCHS)
    studio.press("Start training")
    studio.wait_for_text("Epoch ")
    finished = studio.wait_for_text("Training finished")
    assert "stopped early" not in finished
    studio.press("Next")


def review(studio: StudioWindow) -> str:
    """Wait for the test, and return the accuracy as it is shown."""
    run = only_project().runs()[0]
    studio.wait_for_text(f"of {run.metrics()['counts']['test']} photos it never saw")
    return next(text for text in studio.texts() if text.endswith(" %"))


def classify(studio: StudioWindow, photos: list[Path], broken: Path) -> None:
    studio.press("Classify")
    studio.drop("Classify drop zone", [*photos, broken])
    studio.wait_for_text(f"{len(photos) + 1} photos")
    for photo in photos:
        assert studio.wait_for_text(f"{photo.name}: ").endswith(" %")
    studio.wait_for_text(f"{broken.name}: could not be read")


def export(studio: StudioWindow, folder: Path) -> None:
    studio.press("Next")
    for name in FORMATS:
        studio.choose(name)
    studio.type_into("Export folder", str(folder))
    studio.press("Export trained model")
    assert studio.wait_for_text("Exported to") == f"Exported to {folder}"
    assert {"model.keras", "model.tflite", "savedmodel", "labels.txt", "README.md"} <= {
        path.name for path in folder.iterdir()
    }


def opens_where_it_was(studio: StudioWindow, project: Project, accuracy: str) -> None:
    studio.wait_for_text("Export the trained model")
    assert studio.find("Export", BUTTONS).has(State.CHECKED)
    assert project.step == "export"
    studio.press("Review")
    studio.wait_for_text("photos it never saw")
    assert accuracy in studio.texts()


def test_stopping_keeps_the_best_epoch(open_studio: OpenStudio, samples: Path) -> None:
    studio = open_studio(samples)
    train_for_long(studio)
    first_is(studio, "Stop and keep best", *BUTTONS)
    studio.press("Stop and keep best")
    studio.wait_for_text("Training finished (stopped early, best kept")
    metrics = only_project().runs()[0].metrics()
    assert metrics["stopped_early"] is True
    assert 1 <= metrics["best_epoch"] <= metrics["epochs"] < LONG
    studio.find("Review", BUTTONS)


def test_closing_during_a_training_asks_first(open_studio: OpenStudio, samples: Path) -> None:
    studio = open_studio(samples)
    train_for_long(studio)
    studio.ask_to_close()
    studio.wait_for_text("Training is running. What shall become of it before you close?")
    studio.press("Keep training")
    studio.wait_until_gone("Keep training")
    studio.wait_for_text("Epoch ")
    assert studio.find("Stop and keep best", BUTTONS)
    runs = only_project().runs_folder
    studio.ask_to_close()
    studio.press("Cancel training")
    assert studio.wait_for_end(SECONDS_TO_END) == 0
    assert studio.processes() == []
    assert not runs.exists() or list(runs.iterdir()) == []
    assert "Traceback" not in studio.said()


def test_a_terminated_window_lays_its_training_aside_and_offers_it_when_it_comes_back(
    open_studio: OpenStudio, samples: Path
) -> None:
    studio = open_studio(samples)
    train_for_long(studio)
    runs = only_project().runs_folder
    studio.process.terminate()
    assert studio.wait_for_end(SECONDS_TO_END) == 128 + 15
    assert studio.processes() == []
    assert [path.name for path in runs.iterdir()] == ["run-001.unfinished"]
    again = open_studio(runs.parent)
    again.wait_for_text("A training was interrupted: ")
    again.press("Resume training")
    again.wait_for_text("Epoch ")
    assert again.find("Stop and keep best", BUTTONS)


def test_fine_tuning(open_studio: OpenStudio) -> None:
    studio = open_studio()
    studio.press("Try the sample photos")
    studio.press("Next")
    studio.choose("Fine-tune")
    studio.press("Next")
    studio.set_number("Epochs", 1)
    studio.press("Advanced")
    studio.set_number("Head epochs", 2)
    studio.press("Start training")
    studio.wait_for_text("Training finished")
    run = only_project().runs()[0]
    assert run.metrics()["mode"] == "fine-tune"
    assert [row["phase"] for row in run.history()] == ["head", "head", "fine-tune"]


def test_every_control_is_the_first_of_its_name(open_studio: OpenStudio, trained: Trained, tmp_path: Path) -> None:
    studio = open_studio(copy_of(trained, tmp_path))
    shows = shower(studio)
    shows("Photos", {"Photo drop zone": (), "Choose folder": BUTTONS})
    choices = dict.fromkeys(("Extract features", "Fine-tune"), (Role.RADIO_BUTTON,))
    shows("Backbone", {"Backbone folder or handle": (Role.TEXT,), "Use this backbone": BUTTONS, **choices})
    shows("Train", {"Epochs": (Role.SPIN_BUTTON,), "Start training": BUTTONS})
    shows("Review", {})
    shows("Classify", {"Classify drop zone": ()})
    formats = dict.fromkeys(FORMATS, (Role.CHECK_BOX,))
    shows("Export", {"Export folder": (Role.TEXT,), "Export trained model": BUTTONS, **formats})


def shower(studio: StudioWindow) -> Callable[[str, dict[str, tuple[Role, ...]]], None]:
    """Return a call that goes to a step and looks at the controls there, and at those that are always there."""

    def shows(step: str, controls: dict[str, tuple[Role, ...]]) -> None:
        studio.press(step)
        for name, roles in controls.items():
            first_is(studio, name, *roles)
        for name in (*STEPS, "Back", *(() if step == "Export" else ("Next",))):
            first_is(studio, name, *BUTTONS)

    return shows


def first_is(studio: StudioWindow, name: str, *roles: Role) -> None:
    """Wait for something of that name; the first of it must be the control itself, not a label or a box around it."""
    studio.wait_for(lambda: studio.first(name) is not None, f"nothing is named {name!r}")
    node = studio.first(name)
    assert node is not None
    assert node.role in roles or (not roles and node.role is not Role.LABEL), f"{name!r}\n{studio.tree().drawn()}"


def train_for_long(studio: StudioWindow) -> None:
    """Start a training that does not end by itself, and wait until it has some epochs behind it."""
    studio.press("Backbone")
    studio.press("Next")
    studio.set_number("Epochs", LONG)
    studio.press("Advanced")
    studio.set_number("Patience", 0)  # a head that no longer improves would end within seconds
    studio.press("Start training")
    studio.wait_for_text("Best so far")


def copy_of(trained: Trained, folder: Path) -> Path:
    """Return a project of its own with the trained run."""
    own = folder / "fruit"
    own.joinpath("runs").mkdir(parents=True)
    run = own / "runs" / trained.run.name
    run.symlink_to(trained.run, target_is_directory=True)
    Project(own, RunFolder.open(run).plan(), step="photos", run=run.name).save()
    return own


def only_project() -> Project:
    """Return the project that the window has made; it is named once the photos are read."""
    folders = list(paths.projects_folder().iterdir())
    assert len(folders) == 1
    return open_project(folders[0])

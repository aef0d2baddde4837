"""A shoot-out: a head on each of several backbones, trained on the same photos and measured on the same ones."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, replace

import keras

from hubstudio.core import speeds
from hubstudio.core.cancel import CancelToken
from hubstudio.core.catalogue import backbone_name
from hubstudio.core.comparison import Contender, best_first
from hubstudio.core.cost import PhotoAmount, Speed
from hubstudio.core.errors import BackboneError, PhotosError, StudioError
from hubstudio.core.events import Event, FeaturesDone, Phase, Progress, Report
from hubstudio.core.intake import read_photos
from hubstudio.core.parts import Part
from hubstudio.core.photos import Photo, PhotoSet
from hubstudio.core.plan import Mode, Plan
from hubstudio.core.split import Split
from hubstudio.ml import speed_measuring
from hubstudio.ml.feature_module import FeatureModule
from hubstudio.ml.feature_runtimes import NOT_ENOUGH_MEMORY
from hubstudio.ml.model_factory import FeatureStatistics, build_classifier
from hubstudio.ml.obtaining import obtain_frozen
from hubstudio.ml.phase_parts import PhasePlan, PhaseResult, Surroundings
from hubstudio.ml.photo_store import store_photos
from hubstudio.ml.training_data import Data
from hubstudio.ml.training_loop import train_phase

_FEWEST_BATCHES = 3
"""Events of features that tell a speed: the one before any photo, the first batch, and another."""


def compare(plan: Plan, backbones: Sequence[str], report: Report, cancel: CancelToken) -> list[Contender]:
    """Train a head on each backbone's own features of the plan's photos; the best comes first, failures last.

    Each backbone gets photos of its own size and gives its own feature vector, whatever the plan says. Nothing is
    written but speeds. Raises ``PhotosError`` if there is nothing to train on, ``Cancelled`` within a batch.
    """
    plan = replace(plan.absolute(), mode=Mode.EXTRACT, features="", image_size=0)
    photo_set, split = read_photos(plan, lambda done, total, what: report(Progress(done, total, what)), cancel)
    photo_set.require_trainable()
    named = tuple(dict.fromkeys(backbones))
    contest = _Contest(plan, photo_set, split, len(named), report, cancel)
    return best_first([contest.contender(place, backbone) for place, backbone in enumerate(named)])


@dataclass(frozen=True)
class _Contest:
    """What all contenders share: the photos with their parts, and how their heads are trained."""

    plan: Plan
    photo_set: PhotoSet
    split: Split
    contenders: int
    report: Report
    cancel: CancelToken

    def contender(self, place: int, backbone: str) -> Contender:
        """Return one backbone's result, or the reason why there is none."""
        name = backbone_name(backbone)
        self.cancel.check_before_results()
        try:
            return self._tried(place, backbone, name)
        except NOT_ENOUGH_MEMORY:
            return Contender(backbone, name, error="It needs more memory than there is.")
        except StudioError as error:
            return Contender(backbone, name, error=str(error))

    def _tried(self, place: int, backbone: str, name: str) -> Contender:
        keras.utils.set_random_seed(self.plan.seed)
        module = obtain_frozen(backbone, "", self.report, self.cancel)
        plan = replace(self.plan, backbone=module.handle)
        watch = _Watch(name, place, self.contenders, self.report)
        data = self._data(module, plan, watch)
        result = self._head(module, plan, data, watch)
        assert result.best is not None  # a first epoch beats nothing, unless it was cancelled
        validation = len(data.validation)
        info = module.info()
        seconds = watch.clock()  # a measurement is none of the contest
        rate = self._photos_per_second(plan, module, watch)
        return Contender(
            backbone=backbone,
            name=info.name,
            correct=round(result.best.accuracy * validation),
            validation_photos=validation,
            photos_per_second=rate,
            seconds=seconds,
            bytes=info.bytes,
            features=module.features,
            input_size=module.size(),
        )

    def _photos(self) -> list[Photo]:
        return [*self.split.part(Part.TRAINING), *self.split.part(Part.VALIDATION)]

    def _data(self, module: FeatureModule, plan: Plan, watch: _Watch) -> Data:
        photos = self._photos()
        paths = [photo.path for photo in photos]
        digests = [self.photo_set.facts[path].digest for path in paths]
        stored = store_photos(paths, digests, module, module.size(), None, watch, self.cancel, watch.clock)
        training = sum(int(place) < len(self.split.part(Part.TRAINING)) for place in stored.places)
        data = Data.of(stored, photos, training, self.photo_set.classes, plan)
        if not len(data.validation) or len(set(data.labels[data.training])) < len(self.photo_set.classes):
            raise PhotosError("Photos went away while they were compared.", next_step="Check the photos again.")
        return data

    def _head(self, module: FeatureModule, plan: Plan, data: Data, watch: _Watch) -> PhaseResult:
        statistics = FeatureStatistics.of(data.stored.features[data.training])
        classifier = build_classifier(plan, module, len(self.photo_set.classes), statistics)
        rate = classifier.rate(Phase.HEAD)
        phase = PhasePlan(Phase.HEAD, plan.epochs, plan.batch_size, rate, plan.seed, plan.warm_up, plan.patience)
        training, validation = data.features(data.training), data.features(data.validation)
        # Stopping asks for the best so far, which is of no use for comparing: it ends the contest as cancelling does.
        around = Surroundings(watch, self.cancel, watch.clock)
        result = train_phase(classifier.head, training, validation, phase, None, around)
        self.cancel.check_before_results()
        return result

    def _photos_per_second(self, plan: Plan, module: FeatureModule, watch: _Watch) -> float:
        """Return how fast photos go through decoder and backbone, 0 if nobody knows.

        The speed on these photos is kept in place of the measured one, which is made first where there is none. If
        most of their features were known before, the measured one is all there is.
        """
        seen = watch.photos_per_second
        try:
            known = speeds.kept(module.folder, "", module.size()) or speed_measuring.measure(plan, self.cancel)
        except BackboneError:  # measuring is an extra
            return seen
        photos = PhotoAmount.of(self.photo_set, self.split)
        if not seen:
            return 1 / known.extract_seconds(photos.megapixels)
        speeds.keep(module.folder, "", _with_rate(known, seen, photos))
        return seen


def _with_rate(speed: Speed, photos_per_second: float, photos: PhotoAmount) -> Speed:
    """Return the speed such that decoder and backbone together come to ``photos_per_second`` on these photos."""
    each = 1 / photos_per_second
    own = each if speed.decodes_beside else each - speed.decode.seconds(photos.megapixels)
    return replace(speed, features_per_second=1 / max(own, 0.1 * each))


class _Watch:
    """Follows one contender: tells how far it is, and how fast photos went through its backbone."""

    def __init__(self, name: str, place: int, contenders: int, report: Report) -> None:
        self._name, self._place, self._contenders, self._report = name, place, contenders, report
        self._began = time.monotonic()
        self._features: list[FeaturesDone] = []

    def clock(self) -> float:
        """Return the seconds since its first photo was asked for."""
        return time.monotonic() - self._began

    def __call__(self, event: Event) -> None:
        """Take an event of features or head, and report how far the whole contest is; a head takes hardly any time."""
        if isinstance(event, FeaturesDone):
            self._features.append(event)
            done = self._place * event.total + event.done
            self._report(Progress(done, self._contenders * event.total, f"photos, now through {self._name}"))

    @property
    def photos_per_second(self) -> float:
        """Without the first batch, which had to wait for the backbone to be made ready; 0 if hardly any were left."""
        if len(self._features) < _FEWEST_BATCHES:
            return 0.0
        first, last = self._features[1], self._features[-1]
        return (last.done - first.done) / max(last.elapsed - first.elapsed, 1e-9)

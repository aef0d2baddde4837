"""A module of unknown origin that reaches beyond numbers is refused before anything of it runs, unless trusted."""

from __future__ import annotations

import hashlib
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

import pytest
import tensorflow as tf
from dangerous_modules import change, save_calling, save_loading, save_tf1
from google.protobuf import text_format
from made_modules import save_with_endpoints
from tensorflow.core.framework import op_def_pb2
from tensorflow.core.protobuf import saved_model_pb2
from tensorflow.python.client import pywrap_tf_session

from hubstudio.core.cancel import CancelToken
from hubstudio.core.catalogue import bundled_catalogue
from hubstudio.core.errors import BackboneError, UnsafeModuleError
from hubstudio.core.events import ignore
from hubstudio.core.plan import Plan
from hubstudio.ml import saved_model_definition
from hubstudio.ml.dangerous_operations import CONDITIONAL, DANGEROUS, RESTORING, SAVING
from hubstudio.ml.engine import LocalEngine
from hubstudio.ml.hub_module import load_module
from hubstudio.ml.module_scan import scan
from hubstudio.ml.saved_model_definition import read_definition

Save = Callable[[Path, Callable[[], Any]], Path]


def found_in(folder: Path) -> list[str]:
    return [finding.operation for finding in scan(read_definition(folder), folder)]


def writing(save: Save, tmp_path: Path) -> tuple[Path, Path]:
    """Save a module that writes a file, and return it and the file, which saving may have written."""
    target = tmp_path / "written.txt"
    folder = save(tmp_path / "module", lambda: tf.io.write_file(str(target), "ran"))
    target.unlink(missing_ok=True)
    return folder, target


@pytest.mark.parametrize("save", [save_calling, save_loading])
def test_a_module_that_writes_a_file_is_refused_and_the_file_is_not_written(
    save: Save, two_classes: Path, tmp_path: Path
) -> None:
    folder, target = writing(save, tmp_path)
    engine = LocalEngine()
    with pytest.raises(UnsafeModuleError, match="was not loaded") as caught:
        engine.probe(str(folder))
    assert caught.value.operations == ("WriteFile (writes files)",)
    assert f"hubstudio backbones trust {folder}" in caught.value.next_step
    with pytest.raises(UnsafeModuleError):
        engine.train(Plan(str(two_classes), str(folder)), tmp_path / "run", ignore, CancelToken())
    assert not target.exists()
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize("save", [save_calling, save_loading])
def test_once_trusted_it_is_loaded_and_what_it_does_is_its_makers_business(save: Save, tmp_path: Path) -> None:
    folder, target = writing(save, tmp_path)
    LocalEngine().trust(str(folder))
    assert LocalEngine().probe(str(folder)).features == 3
    assert target.read_text() == "ran"  # so the module of the test above would have written it too


def test_the_command_line_refuses_it_too(tmp_path: Path) -> None:
    folder, target = writing(save_loading, tmp_path)
    command = [sys.executable, "-m", "hubstudio", "backbones", "probe", str(folder)]
    ended = subprocess.run(command, capture_output=True, text=True, timeout=300, check=False)
    assert ended.returncode == 1
    assert "WriteFile (writes files)" in ended.stderr
    assert not target.exists()


@pytest.mark.parametrize("where", ["call", "main", "train", "saver"])
def test_a_tf1_module_that_writes_anywhere_is_refused(tmp_path: Path, where: str) -> None:
    target = tmp_path / "written.txt"
    folder = save_tf1(tmp_path / "module", where=where, target=target)
    target.unlink(missing_ok=True)
    with pytest.raises(UnsafeModuleError, match="WriteFile"):
        load_module(str(folder))
    assert not target.exists()


@pytest.mark.parametrize("where", ["main", "saver"])
def test_such_a_tf1_module_would_have_written_when_loaded(tmp_path: Path, where: str) -> None:
    target = tmp_path / "written.txt"
    folder = save_tf1(tmp_path / "module", where=where, target=target)
    target.unlink(missing_ok=True)
    LocalEngine().trust(str(folder))
    load_module(str(folder))
    assert target.read_text() == "ran"


def test_a_trusted_module_has_to_be_trusted_again_once_it_is_another(tmp_path: Path) -> None:
    folder, _ = writing(save_calling, tmp_path)
    LocalEngine().trust(str(folder))
    change(folder, lambda definition: setattr(definition, "saved_model_schema_version", 2))
    with pytest.raises(UnsafeModuleError):
        load_module(str(folder))


def test_a_run_that_carries_such_a_module_is_refused_elsewhere_until_the_run_is_trusted(
    two_classes: Path, tmp_path: Path, own_home: Path
) -> None:
    folder, target = writing(save_calling, tmp_path)
    LocalEngine().trust(str(folder))
    run = tmp_path / "run"
    LocalEngine().train(Plan(str(two_classes), str(folder), epochs=1), run, ignore, CancelToken())
    (own_home / "trusted-modules.json").unlink()
    target.unlink()
    photo = next(two_classes.glob("*/*"))
    with pytest.raises(UnsafeModuleError, match="The run 'run' carries") as caught:
        LocalEngine().predict(run, [photo], ignore, CancelToken())
    assert f"hubstudio backbones trust {run}" in caught.value.next_step
    assert not target.exists()
    LocalEngine().trust(str(run))
    assert LocalEngine().predict(run, [photo], ignore, CancelToken())[0].scores


def test_a_module_fetched_under_a_handle_of_the_catalogue_needs_no_look_and_one_of_a_similar_handle_does(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder, _ = writing(save_calling, tmp_path)
    cache = tmp_path / "cache"
    monkeypatch.setenv("TFHUB_CACHE_DIR", str(cache))
    known = next(row.handle for row in bundled_catalogue().rows if row.handle.startswith("https://tfhub.dev/"))
    similar = known.replace("https://tfhub.dev/", "https://tfhub.de/v")
    for handle in (similar, known):
        place = cache / hashlib.sha1(handle.encode()).hexdigest()
        shutil.copytree(folder, place)
        Path(f"{place}.descriptor.txt").write_text(f"Module: {handle}\n")
    with pytest.raises(UnsafeModuleError):
        load_module(similar)
    assert load_module(known).features == 3


def test_the_bundled_backbone_and_plain_modules_are_clean(small_module: Path, tmp_path: Path) -> None:
    assert found_in(load_module("studio-mini").folder) == []
    assert found_in(small_module) == []
    assert found_in(save_with_endpoints(tmp_path / "endpoints")) == []
    assert found_in(save_tf1(tmp_path / "tf1", where="nowhere", target=tmp_path)) == []


@pytest.mark.shared
def test_real_modules_are_clean(shared: Path) -> None:
    folders = sorted((shared / "backbones").iterdir())
    assert [found_in(folder) for folder in folders] == [[]] * len(folders)


def checkpoint(path: Path) -> Any:
    return tf.raw_ops.SaveV2(prefix=str(path), tensor_names=["x"], shape_and_slices=[""], tensors=[tf.constant(1.0)])


def restored(path: Path) -> Any:
    return tf.raw_ops.RestoreV2(prefix=str(path), tensor_names=["x"], shape_and_slices=[""], dtypes=[tf.float32])


def only_sometimes(path: Path) -> Any:
    return tf.cond(tf.random.uniform([]) > 2, lambda: tf.io.write_file(str(path), ""), tf.no_op)


@tf.function
def _inner(name: Any) -> None:
    tf.io.write_file(name, "")


def in_an_inner_function(path: Path) -> Any:
    return _inner(tf.constant(str(path)))


@pytest.mark.parametrize(
    ("action", "operation"),
    [
        (lambda path: tf.io.read_file(str(path)), "ReadFile"),
        (lambda path: tf.io.matching_files(str(path)), "MatchingFiles"),
        (lambda path: tf.numpy_function(lambda: None, [], []), "PyFunc"),
        (lambda path: tf.py_function(lambda: None, [], []), "EagerPyFunc"),
        (lambda path: tf.print("x", output_stream=f"file://{path}"), "PrintV2"),
        (checkpoint, "SaveV2"),
        (restored, "RestoreV2"),
        (only_sometimes, "WriteFile"),
        (in_an_inner_function, "WriteFile"),
        (lambda path: tf.data.TextLineDataset(str(path)).reduce(0, lambda count, _: count + 1), "TextLineDataset"),
    ],
)  # fmt: skip
def test_each_way_out_of_the_graph_is_found(tmp_path: Path, action: Callable[[Path], Any], operation: str) -> None:
    folder = save_calling(tmp_path / "module", lambda: action(tmp_path / "target"))
    assert operation in found_in(folder)


def test_printing_to_the_screen_is_harmless(tmp_path: Path) -> None:
    assert found_in(save_calling(tmp_path / "module", lambda: tf.print("hello"))) == []


def test_an_operation_that_this_tensorflow_does_not_know_is_found(small_module: Path, tmp_path: Path) -> None:
    folder = Path(shutil.copytree(small_module, tmp_path / "module"))

    def plant(definition: Any) -> None:
        definition.meta_graphs[0].graph_def.library.function[0].node_def[0].op = "OpenBackDoor"

    with pytest.raises(UnsafeModuleError, match=r"OpenBackDoor \(is no operation of this TensorFlow\)"):
        load_module(str(change(folder, plant)))


@pytest.mark.parametrize("name", ["../secret.txt", "/etc/passwd", "a/../../b", "C:\\secret", "..\\b", "gs://bucket/x"])
def test_an_asset_outside_of_the_folder_is_found(small_module: Path, tmp_path: Path, name: str) -> None:
    folder = Path(shutil.copytree(small_module, tmp_path / "module"))
    change(folder, lambda definition: definition.meta_graphs[0].asset_file_def.add(filename=name))
    assert found_in(folder) == [name]


def test_an_asset_that_is_a_link_out_of_the_folder_is_found(small_module: Path, tmp_path: Path) -> None:
    folder = Path(shutil.copytree(small_module, tmp_path / "module"))
    (folder / "assets").mkdir(exist_ok=True)
    (folder / "assets" / "link.txt").symlink_to(tmp_path / "secret")
    change(folder, lambda definition: definition.meta_graphs[0].asset_file_def.add(filename="link.txt"))
    assert found_in(folder) == ["link.txt"]


def test_a_module_written_as_text_is_looked_through_too(tmp_path: Path) -> None:
    folder, target = writing(save_calling, tmp_path)
    binary = folder / "saved_model.pb"
    definition = saved_model_pb2.SavedModel.FromString(binary.read_bytes())
    (folder / "saved_model.pbtxt").write_text(text_format.MessageToString(definition))
    binary.unlink()
    with pytest.raises(UnsafeModuleError):
        load_module(str(folder))
    assert not target.exists()


def test_a_definition_beyond_all_measure_is_not_read(small_module: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(saved_model_definition, "LARGEST_DEFINITION", 1000)
    with pytest.raises(BackboneError, match="larger than"):
        load_module(str(small_module))


def test_a_long_list_of_operations_is_cut_in_the_sentence_but_not_in_the_value(
    small_module: Path, tmp_path: Path
) -> None:
    folder = Path(shutil.copytree(small_module, tmp_path / "module"))

    def plant(definition: Any) -> None:
        for name in sorted(DANGEROUS)[-20:]:  # all of them known to this TensorFlow
            definition.meta_graphs[0].graph_def.node.add(name=name, op=name)

    with pytest.raises(UnsafeModuleError, match="and 12 more") as caught:
        load_module(str(change(folder, plant)))
    assert len(caught.value.operations) == 20


_SPEAKING_ARGUMENT = re.compile(
    r"file|path|(^|_)dir(ectory)?(_|$)|pattern|address|(^|_)ur[il]s?(_|$)|^target|server|librar|prefix|location|^token$"
    r"|(^|_)source(_|$)|region|driver|^query$|vocab|script|command|credential|^job"
)
_SPEAKING_NAME = re.compile(
    r"File|Path|Save|Restore|Load|Write|Reader|Summary|Debug|Py|Rpc|Remote|Host|Record|Snapshot|LMDB|Sql|Dump|Print"
    r"|Checkpoint|Service|Gcs|Immutable|Remap|CustomCall|Server|Register|Librar|Execute"
)
_HARMLESS = {
    "they mean numbers, classes or words, no places": """
        ApproxTopK InTopK InTopKV2 CTCBeamSearchDecoder NegTrain RegexFullMatch RegexReplace StaticRegexFullMatch
        StaticRegexReplace TensorSliceDataset TensorArrayGrad* TensorArrayWrite* XlaSelectAndScatter CollectivePermute
        ConvertToSparseCoreCsrWrappedCooTensor GetMinibatchSplitsWithPhysicalReplica GetStatsFromListOfSparseCore*
        GetMinibatchesInCsrWithPhysicalReplica SortListOfSparseCoreCooTensors StoreMinibatchStatisticsInFdo""",
    "they make values that only a writer, which is refused, could write": """
        AudioSummary AudioSummaryV2 HistogramSummary ImageSummary MergeSummary ScalarSummary TensorSummary
        TensorSummaryV2 BoostedTreesMakeStatsSummary BoostedTreesQuantileStreamResourceAddSummaries
        BoostedTreesFlushQuantileSummaries StatsAggregatorSummary ExperimentalStatsAggregatorSummary
        SetStatsAggregatorDataset ExperimentalSetStatsAggregatorDataset ShardedFilename ShardedFilespec""",
    "they count or wind a reader, and each way to make one that reads files is refused": """
        IdentityReader IdentityReaderV2 ReaderNum* ReaderReset ReaderResetV2 ReaderRestoreState*
        ReaderSerializeState*""",
    "they pass on what they get, on this computer": """
        BoostedTreesExampleDebugOutputs CopyHost DebugGradientIdentity DebugGradientRefIdentity DeleteRpcFutureResource
        HostConst Print Snapshot _CopyFromGpuToHost _CopyFromHostToGpu _HostCast""",
    "they belong to TPUs, and do nothing without one": """
        ConfigureTPUEmbeddingHost ExecuteTPUEmbeddingPartitioner LoadAllTPUEmbeddingParameters LoadTPUEmbedding*
        TPUReplicateMetadata _TPUReplicate _DisconnectHostFromDistributedTPUSystem _InitializeHostForDistributedTPU""",
}


def is_harmless(operation: str) -> bool:
    return any(fnmatchcase(operation, pattern) for names in _HARMLESS.values() for pattern in names.split())


def registered() -> list[Any]:
    """Return what the installed TensorFlow says of every operation it has."""
    operations = op_def_pb2.OpList()
    operations.ParseFromString(pywrap_tf_session.TF_GetBuffer(pywrap_tf_session.TF_GetAllOpList()))
    return list(operations.op)


def test_every_operation_that_speaks_of_files_addresses_or_code_is_judged() -> None:
    judged = {*DANGEROUS, *RESTORING, *SAVING, *CONDITIONAL}
    for operation in registered():
        arguments = [argument.name for argument in (*operation.input_arg, *operation.attr)]
        speaking = [name for name in arguments if _SPEAKING_ARGUMENT.search(name)]
        if speaking or _SPEAKING_NAME.search(operation.name):
            assert operation.name in judged or is_harmless(operation.name), f"{operation.name} {speaking}"


def test_no_operation_is_judged_twice_or_unknown_to_tensorflow() -> None:
    names = {operation.name for operation in registered()}
    assert not [name for name in DANGEROUS if is_harmless(name)]
    gone = {name for name in (*DANGEROUS, *RESTORING, *SAVING, *CONDITIONAL) if name not in names}
    others = {"GcsConfigureBlockCache", "GcsConfigureCredentials", "RemoteFusedGraphExecute"}
    assert gone == others  # what only other builds of TensorFlow have

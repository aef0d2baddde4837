"""A module that reaches beyond numbers is refused before anything of it runs, unless trusted."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import tensorflow as tf
from dangerous_modules import (
    call_dead,
    change,
    checkpoint,
    hidden_program,
    name_in_variable,
    plant,
    save_calling,
    save_loading,
    save_tf1,
    save_with_gradient,
)
from google.protobuf import text_format
from made_modules import save_with_endpoints
from tensorflow.core.protobuf import saved_model_pb2

from hubstudio.core.cancel import CancelToken
from hubstudio.core.catalogue import bundled_catalogue
from hubstudio.core.errors import BackboneError, UnsafeModuleError
from hubstudio.core.events import ignore
from hubstudio.core.module_places import own_entry
from hubstudio.core.module_record import ModuleRecord, file_facts
from hubstudio.core.plan import Plan
from hubstudio.ml import saved_model_definition
from hubstudio.ml.dangerous_operations import DANGEROUS
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


def test_a_module_under_a_handle_of_the_catalogue_is_looked_through_whatever_lies_beside_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder, target = writing(save_calling, tmp_path)
    monkeypatch.setenv("TFHUB_CACHE_DIR", str(tmp_path / "cache"))
    handle = next(row.handle for row in bundled_catalogue().rows if row.handle.startswith("https://tfhub.dev/"))
    entry = own_entry(handle)
    shutil.copytree(folder, entry.folder)
    entry.descriptor.write_text(f"Module: {handle}\n")
    files = {file.relative_to(folder).as_posix(): file_facts(file) for file in folder.rglob("*") if file.is_file()}
    ModuleRecord(handle, handle, files).save(entry.record)  # any program that writes there can write this
    with pytest.raises(UnsafeModuleError):
        load_module(handle)
    assert not target.exists()


def test_the_bundled_backbone_and_plain_modules_are_clean(small_module: Path, tmp_path: Path) -> None:
    assert found_in(load_module("studio-mini").folder) == []
    assert found_in(small_module) == []
    assert found_in(save_with_endpoints(tmp_path / "endpoints")) == []
    assert found_in(save_tf1(tmp_path / "tf1", where="nowhere", target=tmp_path)) == []


@pytest.mark.shared
def test_real_modules_are_clean(shared: Path) -> None:
    folders = sorted((shared / "backbones").iterdir())
    assert [found_in(folder) for folder in folders] == [[]] * len(folders)


def stray_saver(folder: Path) -> Path:
    """Save a TF1 module with an operation that writes, and that nothing needs."""
    saved = save_tf1(folder / "module", where="nowhere", target=folder)
    return plant(saved, lambda: checkpoint(folder / "written"))


def test_a_tf1_module_that_writes_as_a_local_variable_is_refused(tmp_path: Path) -> None:
    folder = name_in_variable(stray_saver(tmp_path), "evil/save", "initializer_name")
    with pytest.raises(UnsafeModuleError, match="SaveV2"):
        load_module(str(folder))
    assert not list(tmp_path.glob("written*"))
    LocalEngine().trust(str(folder))
    load_module(str(folder))
    assert list(tmp_path.glob("written*"))  # so it would have


@pytest.mark.parametrize("field", ["initializer_name", "initial_value_name", "snapshot_name", "variable_name"])
@pytest.mark.parametrize("collection", ["variables", "local_variables", "model_variables"])
def test_whatever_a_variable_names_counts_as_run(tmp_path: Path, field: str, collection: str) -> None:
    folder = save_with_leftover_saver(tmp_path)
    change(folder, lambda definition: make_last_save(definition, "MergeV2Checkpoints"))
    assert found_in(folder) == []
    assert found_in(name_in_variable(folder, "old/save/SaveV2", field, collection)) == ["MergeV2Checkpoints"]


def save_with_leftover_saver(folder: Path) -> Path:
    """Save a TF1 module that keeps a saver of an earlier part of its training."""
    saved = save_tf1(folder / "module", where="nowhere", target=folder)

    def make() -> None:
        with tf.name_scope("old"):
            tf.compat.v1.train.Saver([tf.compat.v1.get_variable("left", [3], use_resource=False)])

    return plant(saved, make)


def make_last_save(definition: Any, operation: str) -> None:
    for graph in definition.meta_graphs:
        next(node for node in graph.graph_def.node if node.name == "old/save/SaveV2").op = operation


def test_a_whole_saver_that_nothing_needs_is_harmless_and_a_part_of_one_is_found(tmp_path: Path) -> None:
    folder = save_with_leftover_saver(tmp_path / "whole")
    assert found_in(folder) == []
    assert load_module(str(folder)).features == 3
    assert found_in(stray_saver(tmp_path / "part")) == ["SaveV2"]


def test_a_tf1_module_that_restores_from_elsewhere_than_its_own_folder_is_found(tmp_path: Path) -> None:
    folder = save_tf1(tmp_path / "module", where="nowhere", target=tmp_path)
    plant(folder, lambda: tf.constant("gs://somewhere/else", name="else"))

    def lead_away(definition: Any) -> None:
        for graph in definition.meta_graphs:
            next(node for node in graph.graph_def.node if node.op == "RestoreV2").input[0] = "else"

    assert found_in(change(folder, lead_away)) == ["RestoreV2"]


def test_in_what_the_tf1_loader_takes_no_function_may_restore(small_module: Path, tmp_path: Path) -> None:
    folder = Path(shutil.copytree(small_module, tmp_path / "module"))
    change(folder, lambda definition: definition.meta_graphs.add())
    assert set(found_in(folder)) == {"RestoreV2", "SaveV2", "MergeV2Checkpoints"}


def test_a_gradient_that_writes_is_found_though_only_a_dead_node_calls_it(tmp_path: Path) -> None:
    folder = save_with_gradient(tmp_path / "module", lambda: checkpoint(tmp_path / "written"))
    assert "SaveV2" in found_in(folder)


def test_a_program_that_is_hidden_in_a_text_is_refused_and_would_have_run(tmp_path: Path) -> None:
    target = tmp_path / "written.txt"
    folder = save_calling(tmp_path / "module", lambda: hidden_program(target))
    with pytest.raises(UnsafeModuleError, match=r"DatasetFromGraph \(runs a program that is hidden in a text\)"):
        load_module(str(folder))
    assert not target.exists()
    LocalEngine().trust(str(folder))
    load_module(str(folder))
    assert target.read_text() == "ran"


def nested(graph: Any, saver: str) -> None:
    caller = next(one for one in graph.graph_def.library.function if one.signature.name != saver)
    given = caller.node_def[0].attr["given"].func
    given.name = caller.signature.name
    given.attr["inner"].func.name = saver


def named_by_a_text(graph: Any, saver: str) -> None:
    other = next(one for one in graph.graph_def.library.function if one.signature.name != saver)
    other.attr["forward_function_name"].s = saver.encode()


def stands_in(graph: Any, saver: str) -> None:
    function = next(one for one in graph.graph_def.library.function if one.signature.name == saver)
    function.attr["api_implements"].s = b"features"


@pytest.mark.parametrize(
    "lead",
    [
        call_dead,
        nested,
        named_by_a_text,
        stands_in,
        lambda graph, saver: graph.graph_def.library.gradient.add(function_name="f", gradient_func=saver),
        lambda graph, saver: graph.graph_def.library.registered_gradients.add(
            gradient_func=saver, registered_op_type="t"
        ),
        lambda graph, saver: graph.object_graph_def.nodes.add().function.concrete_functions.append(saver),
        lambda graph, saver: graph.object_graph_def.nodes.add().bare_concrete_function.MergeFromString(
            b"\n" + bytes([len(saver)]) + saver.encode()
        ),
        lambda graph, saver: graph.object_graph_def.concrete_functions[saver].SetInParent(),
        lambda graph, saver: graph.saver_def.Clear(),
    ],
)
def test_the_savers_function_is_found_as_soon_as_anything_else_leads_to_it(
    small_module: Path, tmp_path: Path, lead: Callable[[Any, str], Any]
) -> None:
    folder = Path(shutil.copytree(small_module, tmp_path / "module"))

    def change_graph(definition: Any) -> None:
        graph = definition.meta_graphs[0]
        names = [one.signature.name for one in graph.graph_def.library.function]
        lead(graph, next(name for name in names if "traced_save" in name))

    assert found_in(folder) == []
    assert "SaveV2" in found_in(change(folder, change_graph))


def restored(path: Path) -> Any:
    return tf.raw_ops.RestoreV2(prefix=str(path), tensor_names=["x"], shape_and_slices=[""], dtypes=[tf.float32])


def parsed(path: Path) -> Any:
    return tf.debugging.assert_greater(tf.size(tf.io.parse_tensor(tf.io.encode_base64(str(path)), tf.variant)), 0)


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
        (hidden_program, "DatasetFromGraph"),
        (parsed, "ParseTensor"),
        (lambda _: tf.raw_ops.Abort(error_msg="bye"), "Abort"),
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

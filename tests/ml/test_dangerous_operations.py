"""No operation of the installed TensorFlow that reaches beyond numbers is missing in the table."""

from __future__ import annotations

import re
from fnmatch import fnmatchcase
from typing import Any

from tensorflow.core.framework import op_def_pb2
from tensorflow.python.client import pywrap_tf_session

from hubstudio.ml.dangerous_operations import CONDITIONAL, DANGEROUS, RESTORING, SAVING

_SPEAKING_ARGUMENT = re.compile(
    r"file|path|(^|_)dir(ectory)?(_|$)|pattern|address|(^|_)ur[il]s?(_|$)|^target|server|librar|prefix|location|^token$"
    r"|(^|_)source(_|$)|region|driver|^query$|vocab|script|command|credential|^job"
    r"|graph|mlir|module|program|serialized|executable|bytecode"
)
_SPEAKING_NAME = re.compile(
    r"File|Path|Save|Restore|Load|Write|Reader|Summary|Debug|Py|Rpc|Remote|Host|Record|Snapshot|LMDB|Sql|Dump|Print"
    r"|Checkpoint|Service|Gcs|Immutable|Remap|CustomCall|Server|Register|Librar|Execute"
    r"|Graph|Mlir|CallModule|Abort|Compile|Deserialize|Parse|Engine|Lite|Ifrt|Event|Heartbeat"
    r"|^_?(Xla)?(Send|Recv)$"
)
_HARMLESS = {
    "they mean numbers, classes or words, no places": """
        ApproxTopK InTopK InTopKV2 CTCBeamSearchDecoder NegTrain RegexFullMatch RegexReplace StaticRegexFullMatch
        StaticRegexReplace TensorSliceDataset TensorArrayGrad* TensorArrayWrite* XlaSelectAndScatter CollectivePermute
        ConvertToSparseCoreCsrWrappedCooTensor GetMinibatchSplitsWithPhysicalReplica GetStatsFromListOfSparseCore*
        GetMinibatchesInCsrWithPhysicalReplica SortListOfSparseCoreCooTensors StoreMinibatchStatisticsInFdo""",
    "they read numbers and words from a text": """
        ParseExample* ParseSequenceExample* ParseSingle* ExperimentalParseExampleDataset BoostedTrees*Deserialize*
        BoostedTreesCreateEnsemble OptionsDataset""",
    "they say what a graph is, and run none": """
        DatasetToGraph DatasetToGraphV2 GraphDefVersion RequiresOlderGraphVersion TPUCompileSucceededAssert""",
    "what they compile is a function of the module, which is looked through": "_XlaCompile",
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
    others = {"GcsConfigureBlockCache", "GcsConfigureCredentials", "RemoteFusedGraphExecute", "TRTEngineOp"}
    assert gone == others  # what only other builds of TensorFlow have

"""Which of TensorFlow's operations let a graph reach beyond numbers, and how: one table.

``tests/ml/test_dangerous_operations.py`` walks all operations of the installed TensorFlow and fails if one whose name
or arguments speak of files, addresses, code or programs in a text is neither here nor on its list of harmless ones.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tensorflow.core.framework import types_pb2

_READS = "reads files"
_WRITES = "writes files"
_LISTS = "looks for files"
_NETWORK = "talks to other computers"
_PYTHON = "runs Python code"
_CODE = "runs code outside of the graph"
_HIDDEN = "runs a program that is hidden in a text"
_ENDS = "ends the program"
_DATABASE = "opens databases"
_CREDENTIALS = "changes how files and their servers are reached"

_NAMES: Mapping[str, str] = {
    _READS: """
        ReadFile WholeFileReader WholeFileReaderV2 TextLineReader TextLineReaderV2 TFRecordReader TFRecordReaderV2
        FixedLengthRecordReader FixedLengthRecordReaderV2 LMDBReader RecordInput
        ReaderRead ReaderReadV2 ReaderReadUpTo ReaderReadUpToV2
        TextLineDataset TFRecordDataset TFRecordDatasetV2 FixedLengthRecordDataset FixedLengthRecordDatasetV2
        CSVDataset CSVDatasetV2 ExperimentalCSVDataset LMDBDataset ExperimentalLMDBDataset LoadDataset
        ListSnapshotChunksDataset SnapshotChunkDataset SnapshotDatasetReader SnapshotNestedDatasetReader
        InitializeTableFromTextFile InitializeTableFromTextFileV2 GenerateVocabRemapping LoadAndRemapMatrix
        FixedUnigramCandidateSampler Skipgram ImmutableConst DecodeProtoV2 EncodeProto""",
    _WRITES: """
        WriteFile DumpTensor CalibrationStatisticsSaver DatasetToTFRecord ExperimentalDatasetToTFRecord
        SaveDataset SaveDatasetV2 CacheDataset CacheDatasetV2 SnapshotDataset SnapshotDatasetV2
        CreateSummaryFileWriter SummaryWriter WriteSummary WriteRawProtoSummary WriteScalarSummary
        WriteHistogramSummary WriteImageSummary WriteAudioSummary WriteGraphSummary FlushSummaryWriter
        CloseSummaryWriter StatsAggregatorSetSummaryWriter ImportEvent
        DebugIdentity DebugIdentityV2 DebugIdentityV3 DebugNanCount DebugNumericSummary DebugNumericSummaryV2""",
    _LISTS: "MatchingFiles MatchingFilesDataset ExperimentalMatchingFilesDataset",
    _DATABASE: "SqlDataset ExperimentalSqlDataset CreateSummaryDbWriter",
    _NETWORK: """
        RemoteCall RpcClient RpcCall RpcServer RpcServerRegister RpcServerStart RpcCheckStatus RpcGetValue
        DataServiceDataset DataServiceDatasetV2 DataServiceDatasetV3 DataServiceDatasetV4
        RegisterDataset RegisterDatasetV2 DistributedSave ConnectTPUEmbeddingHosts _HostSend _HostRecv _Send _Recv
        Send Recv XlaSend XlaRecv""",
    _PYTHON: "PyFunc PyFuncStateless EagerPyFunc",
    _CODE: """
        RemoteFusedGraphExecute XlaCustomCall XlaCustomCallV2 XlaHostCompute _XlaHostComputeMlir XlaSendToHost
        XlaRecvFromHost _XlaSendFromHost _XlaSendFromHostV2 _XlaRecvAtHost _XlaRecvAtHostV2 TPUExecute
        TPUExecuteAndUpdateVariables TRTEngineOp""",
    _HIDDEN: """
        DatasetFromGraph DeserializeIterator MlirPassthroughOp XlaCallModule TPUCompile _TPUCompileMlir
        _XlaCompileMlirPlaceholderProgramKey""",
    _ENDS: "Abort WorkerHeartbeat",
    _CREDENTIALS: "FileSystemSetConfiguration GcsConfigureCredentials GcsConfigureBlockCache",
}
DANGEROUS: Mapping[str, str] = {name: why for why, names in _NAMES.items() for name in names.split()}
"""Operations that no module for photos needs, and what each does."""

RESTORING: Mapping[str, str] = dict.fromkeys(("Restore", "RestoreSlice", "RestoreV2", "DTensorRestoreV2"), _READS)
"""What every module does in its own restore function, and nowhere else."""
SAVING: Mapping[str, str] = dict.fromkeys(("Save", "SaveSlices", "SaveV2", "MergeV2Checkpoints"), _WRITES)
"""What every module would do if it were asked to save its variables again; nobody here asks."""
_READ_AS: Mapping[str, str] = {
    "ParseTensor": "out_type",
    "DeserializeSparse": "dtype",
    "DeserializeManySparse": "dtype",
}
CONDITIONAL: frozenset[str] = frozenset(("PrintV2", *_READ_AS))
"""Harmless or not by their attributes."""

_PRINTS_TO = frozenset((b"stdout", b"stderr", b"log(info)", b"log(warning)", b"log(error)"))
_MAY_HOLD_PROGRAMS = frozenset((types_pb2.DT_INVALID, types_pb2.DT_VARIANT, types_pb2.DT_RESOURCE))
"""What a text must not be read as: datasets, iterators, and types that only the caller settles."""


def danger_of(node: Any) -> str:
    """Return what a node, outside of the saver's functions, does that no module should; '' if nothing."""
    if node.op == "PrintV2":
        stream = node.attr["output_stream"].s if "output_stream" in node.attr else b"stderr"
        return "" if stream in _PRINTS_TO else _WRITES
    if kind := _READ_AS.get(node.op):
        return _HIDDEN if node.attr[kind].type in _MAY_HOLD_PROGRAMS else ""
    return DANGEROUS.get(node.op, "") or RESTORING.get(node.op, "") or SAVING.get(node.op, "")

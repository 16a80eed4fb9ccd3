"""MLServer, a bare model server, as what a user would run instead: it serves one booster and does nothing else.

It has an environment of its own in ``build/mlserver``, from hashed requirements, made when a bench first asks for it. Requests
are bytes made there, so that its generated code meets none of ours.
"""

from __future__ import annotations

import json
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import grpc

from harness.benchmarks.support.cases import ROOT
from harness.benchmarks.support.portfolios import MODELS

ENVIRONMENT = ROOT / "build" / "mlserver"
REQUIREMENTS = ROOT / "requirements" / "mlserver.txt"

BOOSTER = MODELS / "outcome" / "credit-card-2" / "cure.txt"
"""The cure booster that release 0.2.0 served: 944 trees."""

METHOD = "/inference.GRPCInferenceService/ModelInfer"

READY_SECONDS = 60.0

_MAKE_REQUEST = """
import sys, lightgbm, numpy
from mlserver.grpc import dataplane_pb2 as pb
rows, booster = int(sys.argv[1]), lightgbm.Booster(model_file=sys.argv[2])
matrix = numpy.random.default_rng(7).random((rows, booster.num_feature()))
tensor = pb.ModelInferRequest.InferInputTensor(
    name="predict", datatype="FP64", shape=matrix.shape, contents=pb.InferTensorContents(fp64_contents=matrix.ravel())
)
sys.stdout.buffer.write(pb.ModelInferRequest(model_name="cure", inputs=[tensor]).SerializeToString())
"""


@dataclass(frozen=True)
class ModelServer:
    """A running MLServer: its address, its process id, and the bytes of a request with so many rows."""

    address: str
    process: int
    request: bytes

    def infer(self, channel: grpc.Channel) -> bytes:
        """Send the request on a channel and return the bytes of the answer.

        Raises:
            grpc.RpcError: as any call.
        """
        answer: bytes = channel.unary_unary(METHOD)(self.request, timeout=READY_SECONDS)
        return answer


@contextmanager
def model_server(rows: int) -> Iterator[ModelServer]:
    """Serve the booster on loopback, without workers of its own, for the time of a block."""
    python = _environment()
    request = subprocess.run([str(python), "-c", _MAKE_REQUEST, str(rows), str(BOOSTER)], check=True, capture_output=True).stdout
    with tempfile.TemporaryDirectory() as name:
        ports = _free_ports(3)
        _write_settings(Path(name), ports)
        command = [str(python.with_name("mlserver")), "start", name]
        with subprocess.Popen(command, cwd=name, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
            try:
                server = ModelServer(f"127.0.0.1:{ports[1]}", process.pid, request)
                _wait_until_ready(server, process)
                yield server
            finally:
                process.terminate()


def _environment() -> Path:
    python, made = ENVIRONMENT / "bin" / "python", ENVIRONMENT / "made"
    if not made.exists():
        print("  MLServer: making its environment", file=sys.stderr, flush=True)
        subprocess.run([sys.executable, "-m", "venv", str(ENVIRONMENT)], check=True)
        install = [str(python), "-m", "pip", "install", "--quiet", "--require-hashes", "-r", str(REQUIREMENTS)]
        subprocess.run(install, check=True, stdout=subprocess.DEVNULL)
        made.touch()
    return python


def _free_ports(count: int) -> list[int]:
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    try:
        return [each.getsockname()[1] for each in sockets]
    finally:
        for each in sockets:
            each.close()


def _write_settings(folder: Path, ports: list[int]) -> None:
    http, rpc, metrics = ports
    settings = {"host": "127.0.0.1", "http_port": http, "grpc_port": rpc, "metrics_port": metrics, "parallel_workers": 0}
    (folder / "settings.json").write_text(json.dumps(settings | {"debug": False}), "utf-8")
    (folder / "model.bst").write_bytes(BOOSTER.read_bytes())
    model = {"name": "cure", "implementation": "mlserver_lightgbm.LightGBMModel", "parameters": {"uri": "./model.bst"}}
    (folder / "model-settings.json").write_text(json.dumps(model), "utf-8")


def _wait_until_ready(server: ModelServer, process: subprocess.Popen[bytes]) -> None:
    end = time.monotonic() + READY_SECONDS
    with grpc.insecure_channel(server.address) as channel:
        while True:
            try:
                server.infer(channel)
            except grpc.RpcError:
                if process.poll() is not None or time.monotonic() > end:
                    raise RuntimeError("MLServer did not start") from None
                time.sleep(0.2)
            else:
                return

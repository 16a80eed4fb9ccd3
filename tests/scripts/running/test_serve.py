"""The server as a process: a real client asks it, a real signal ends it."""

import signal
import subprocess
import sys
from pathlib import Path

import grpc

from collections_opt.api.v1 import model_service_pb2, model_service_pb2_grpc

ROOT = Path(__file__).parents[3]


def test_it_answers_a_real_client_and_ends_on_sigterm(tmp_path):
    command = [
        sys.executable,
        "-u",
        str(ROOT / "scripts/serve.py"),
        "--data",
        str(tmp_path),
        "--port",
        "0",
        "--insecure-loopback",
    ]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=ROOT) as process:
        try:
            address = process.stdout.readline().split()[-1]
            with grpc.insecure_channel(address) as channel:
                stub = model_service_pb2_grpc.ModelServiceStub(channel)
                answer = stub.ListModels(model_service_pb2.ListModelsRequest(), timeout=30)
            deciding = [model for model in answer.models if model.role == model_service_pb2.MODEL_ROLE_CHAMPION]
            assert [model.version for model in deciding] == ["credit-card-4"]
            process.send_signal(signal.SIGTERM)
            assert process.wait(timeout=30) == 0
            assert process.stdout.read().strip() == "stopped"
        finally:
            process.kill()


def test_plaintext_beyond_loopback_is_refused(tmp_path):
    command = [
        sys.executable,
        str(ROOT / "scripts/serve.py"),
        "--data",
        str(tmp_path),
        "--host",
        "0.0.0.0",
        "--insecure-loopback",
    ]
    refused = subprocess.run(command, capture_output=True, text=True, cwd=ROOT, timeout=60, check=False)
    assert refused.returncode == 2
    assert "would leave this machine" in refused.stderr

"""Processes that train together know their place by TF_CONFIG, and wait for each other in a way that can be ended."""

import json
import os
import re
import signal
import socket
import subprocess
import sys
import threading
import time

import pytest
from base_config import base_config

from celeba_vae.config import HardwareConfig
from celeba_vae.errors import HardwareError
from celeba_vae.training.distributed.peers import Peer, meet, this_peer

TWO = {"worker": ["10.0.0.1:1234", "10.0.0.2:1234"]}


@pytest.fixture
def set_cluster(monkeypatch):
    def set_it(cluster, kind="worker", index=0):
        monkeypatch.setenv("TF_CONFIG", json.dumps({"cluster": cluster, "task": {"type": kind, "index": index}}))

    return set_it


@pytest.fixture
def addresses():
    listeners = [socket.create_server(("127.0.0.1", 0)) for _ in range(3)]
    ports = [listener.getsockname()[1] for listener in listeners]
    for listener in listeners:
        listener.close()
    return tuple(f"127.0.0.1:{port}" for port in ports)


@pytest.mark.parametrize(
    ("cluster", "kind", "index", "place"),
    [
        (TWO, "worker", 0, 0),
        (TWO, "worker", 1, 1),
        ({"chief": ["10.0.0.3:1"], **TWO}, "chief", 0, 0),
        ({"chief": ["10.0.0.3:1"], **TWO}, "worker", 1, 2),
    ],
)
def test_the_first_worker_or_the_chief_writes(set_cluster, cluster, kind, index, place):
    set_cluster(cluster, kind, index)
    peer = this_peer(base_config(HardwareConfig))
    assert peer.index == place
    assert peer.is_chief == (place == 0)
    assert peer.addresses == (*cluster.get("chief", ()), *TWO["worker"])


def test_a_process_is_alone_without_others_in_tf_config_or_where_the_strategy_says_so(set_cluster, monkeypatch):
    monkeypatch.delenv("TF_CONFIG", raising=False)
    assert this_peer(base_config(HardwareConfig)) is None
    set_cluster({"worker": ["10.0.0.1:1234"]})
    assert this_peer(base_config(HardwareConfig)) is None
    set_cluster(TWO)
    assert this_peer(base_config(HardwareConfig, strategy="one")) is None
    assert this_peer(base_config(HardwareConfig, strategy="mirrored")) is None


@pytest.mark.parametrize(
    "text",
    [
        "{",
        "[]",
        json.dumps({"cluster": TWO}),
        json.dumps({"cluster": TWO, "task": {"type": "worker", "index": 2}}),
        json.dumps({"cluster": TWO, "task": {"type": "ps", "index": 0}}),
        json.dumps({"cluster": {"worker": ["10.0.0.1", "10.0.0.2"]}, "task": {"type": "worker", "index": 0}}),
    ],
)
def test_a_wrong_tf_config_is_one_clear_error(monkeypatch, text):
    monkeypatch.setenv("TF_CONFIG", text)
    with pytest.raises(HardwareError, match=r"TF_CONFIG can't be understood.*should look like"):
        this_peer(base_config(HardwareConfig))


def test_multi_worker_needs_other_workers(monkeypatch):
    monkeypatch.delenv("TF_CONFIG", raising=False)
    with pytest.raises(HardwareError, match="TF_CONFIG names no other worker"):
        this_peer(base_config(HardwareConfig, strategy="multi_worker"))


def test_virtual_devices_are_for_one_process(set_cluster):
    set_cluster(TWO)
    with pytest.raises(HardwareError, match="virtual_devices"):
        this_peer(base_config(HardwareConfig, virtual_devices=2))


def test_all_go_on_once_the_last_has_come_in_any_order(addresses):
    met = []

    def come(index):
        meet(Peer(index, addresses), seconds=20)
        met.append((index, time.monotonic()))

    threads = [threading.Thread(target=come, args=(index,)) for index in (2, 0, 1)]
    for thread in threads[:2]:
        thread.start()
    # something else looks whether the port is open
    time.sleep(0.5)
    host, port = addresses[0].split(":")
    socket.create_connection((host, int(port))).close()
    time.sleep(1)
    assert met == []
    last_came = time.monotonic()
    threads[2].start()
    for thread in threads:
        thread.join(timeout=20)
    assert sorted(index for index, _ in met) == [0, 1, 2]
    assert all(last_came <= when for _, when in met)


def test_those_that_do_not_come_are_named(addresses):
    with pytest.raises(HardwareError, match=re.escape(f"Worker 1 ({addresses[1]}) did not come within")):
        meet(Peer(0, addresses[:2]), seconds=1.5)
    with pytest.raises(HardwareError, match=re.escape(f"Worker 0 at {addresses[0]}, or one that it waits for")):
        meet(Peer(1, addresses[:2]), seconds=1)


def test_a_port_in_use_is_named(addresses):
    port = addresses[0].rpartition(":")[2]
    with socket.create_server(("", int(port))), pytest.raises(HardwareError, match=f"Port {port}.*can't be used"):
        meet(Peer(0, addresses), seconds=1)


@pytest.mark.parametrize("index", [0, 1])
def test_waiting_ends_by_ctrl_c(addresses, index):
    code = (
        "from celeba_vae.training.distributed.peers import *; print('waits', flush=True);"
        f" meet(Peer({index}, {addresses[:2]}))"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", code], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=dict(os.environ)
    )
    assert process.stdout.readline() == "waits\n"
    time.sleep(0.5)
    process.send_signal(signal.SIGINT)
    assert "KeyboardInterrupt" in process.communicate(timeout=10)[1]

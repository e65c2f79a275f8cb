"""How many processors the core may use: those of this process that no other program needs."""

import os
import subprocess
import sys

import numpy as np
import pytest

from skreg.network import core


@pytest.mark.parametrize(("elsewhere", "expected"), [(0, 4), (3, 4), (6, 2), (99, 1)])
def test_processors_that_others_use_are_left_to_them(elsewhere, expected, monkeypatch):
    """Four of this process, eight in all; at least one, and all where nobody knows."""
    seen = []
    monkeypatch.setattr(core._core, "set_cpu_count", seen.append)
    monkeypatch.setattr(core.joblib, "cpu_count", lambda: 4)
    monkeypatch.setattr(core.os, "cpu_count", lambda: 8)
    for running in (elsewhere, -np.inf):
        monkeypatch.setattr(core, "_running_elsewhere", lambda running=running: running)
        monkeypatch.setattr(core, "_looked", [-np.inf, 0])
        core.count_cpus()
    assert seen == [expected, 4]


@pytest.mark.skipif(sys.platform != "linux", reason="asks /proc")
def test_busy_processes_are_seen():
    """A program that never rests, and none of the threads of this one."""
    code = "print(flush=True)\nwhile True: pass"
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE) as busy:
        try:
            busy.stdout.readline()
            beside = [core._running_elsewhere() for _ in range(200)]
            assert max(beside) >= 1
        finally:
            busy.kill()
    running = sum(map(core._runs, os.listdir("/proc/self/task")))
    assert running >= 1  # the threads of this process do not count
    assert min(core._running_elsewhere() for _ in range(200)) <= max(beside) - 1
    assert core._runs(str(os.getpid())) and not core._runs("no task")

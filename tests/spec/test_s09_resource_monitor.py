"""S9: what the machine does."""

from __future__ import annotations

import json
import os
import time

import psutil
import pytest

import pixpress
from pixpress import _native


@pytest.fixture(scope="module")
def report() -> pixpress.HealthReport:
    with pixpress.Pool(max_workers=1) as pool:
        return pool.health()


def test_cpu_percent_is_a_percentage(report: pixpress.HealthReport) -> None:
    assert 0 <= report.own_cpu_percent <= report.cpu_percent <= 100


def test_load_average_is_that_of_the_system() -> None:
    end = time.monotonic() + 60
    with pixpress.Pool(max_workers=1) as pool:
        # The system may reckon anew between the two questions, but not each time.
        while pool.health().load_average != pytest.approx(os.getloadavg(), abs=0.011):
            assert time.monotonic() < end


def test_cores_are_those_that_the_process_may_use(report: pixpress.HealthReport) -> None:
    assert report.cores == _native.machine()[0] <= len(os.sched_getaffinity(0))


def test_memory_is_used_total_available_and_percent(report: pixpress.HealthReport) -> None:
    assert 0 < report.memory_total <= psutil.virtual_memory().total
    assert report.memory_used + report.memory_available == report.memory_total
    share = 100 * report.memory_used / report.memory_total
    assert report.memory_percent == pytest.approx(share)


def test_disk_rates_and_queue_are_not_negative(report: pixpress.HealthReport) -> None:
    assert report.disk_read_rate >= 0
    assert report.disk_write_rate >= 0
    assert report.disk_queue >= 0


def test_optimal_workers_is_the_formula(report: pixpress.HealthReport) -> None:
    cpus, _, free = _native.machine()
    most = max(1, min(cpus - 1, 8))
    assert 1 <= report.optimal_workers <= most
    if free > 1 << 30:
        assert report.optimal_workers == most


def test_adaptive_concurrency_is_shown(report: pixpress.HealthReport) -> None:
    assert report.concurrency == 1


def test_optimal_worker_count_is_what_the_report_says(report: pixpress.HealthReport) -> None:
    assert pixpress.optimal_worker_count() == report.optimal_workers


def test_all_of_it_is_ready_for_json(report: pixpress.HealthReport) -> None:
    facts = json.loads(json.dumps(report.to_dict()))
    assert facts["type"] == "HEALTH_REPORT"
    assert facts["cores"] == report.cores

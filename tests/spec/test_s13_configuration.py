"""S13: the specification's file, the environment, and changes at run time."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

import pixpress
from pixpress.config import KEYS

SPECIFICATION = """\
worker:
  pool:
    min: 1
    max: 7
    idleTimeout: 60000
    taskTimeout: 300000
  memory:
    limitPerWorker: 512MB
    globalLimit: 4GB
    gcThreshold: 80
  performance:
    enableCaching: true
    cacheSize: 1GB
    batchGrouping: true
    adaptiveConcurrency: true
  monitoring:
    metricsInterval: 5000
    healthCheckInterval: 30000
    logLevel: info
  recovery:
    maxRetries: 3
    retryDelay: 1000
    backoffMultiplier: 2
    persistQueue: true
"""


# Keys that the specification does not have, by option.
BEYOND = {"cpu_threshold": 75, "isolation": "process"}


@pytest.fixture(autouse=True)
def _log_level() -> Iterator[None]:
    logger = logging.getLogger("pixpress")
    before = logger.level
    yield
    logger.setLevel(before)


def _file(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "worker-config.yaml"
    path.write_text(text)
    return path


@pytest.mark.parametrize(
    ("option", "value"),
    [
        ("min_workers", 1),
        ("max_workers", 7),
        ("idle_timeout", 60),
        ("task_timeout", 300),
        ("worker_memory_limit", "512MB"),
        ("memory_limit", "4GB"),
        ("gc_threshold", 80),
        ("cache", True),
        ("cache_size", "1GB"),
        ("batch_grouping", True),
        ("adaptive_concurrency", True),
        ("metrics_interval", 5),
        ("health_check_interval", 30),
        ("log_level", "info"),
        ("max_retries", 3),
        ("retry_delay", 1),
        ("backoff_multiplier", 2),
        ("journal", True),
    ],
)
def test_every_key_of_the_specification_is_read(tmp_path: Path, option: str, value: object) -> None:
    config = pixpress.load_config(_file(tmp_path, SPECIFICATION))
    assert getattr(config, option) == value


def test_the_specifications_file_makes_a_pool_as_it_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    with pixpress.Pool(config=_file(tmp_path, SPECIFICATION)) as pool:
        assert pool.stats()["memory_limit"] == 4 << 30
        assert pool.stats()["workers"] == 1


@pytest.mark.parametrize("key", KEYS, ids=lambda key: key.path)
@pytest.mark.parametrize("value", ["[1]", "{a: 1}", "-7", "nonsense"])
def test_a_wrong_value_of_any_key_is_named_with_what_was_expected(key: object, value: str) -> None:
    section, leaf = key.path.split(".")  # type: ignore[attr-defined]
    with pytest.raises(pixpress.ConfigError) as raised:
        pixpress.PoolConfig.from_yaml(f"worker: {{{section}: {{{leaf}: {value}}}}}")
    message = str(raised.value)
    assert message.startswith("Expected ")
    assert f"worker.{section}.{leaf}" in message
    assert repr(yaml.safe_load(value)) in message


@pytest.mark.parametrize("option", [key.option for key in KEYS])
def test_each_key_round_trips(option: str) -> None:
    file = pixpress.PoolConfig.from_yaml(SPECIFICATION)
    value = BEYOND.get(option, getattr(file, option))
    assert value is not None
    config = pixpress.PoolConfig(**{option: value})
    assert pixpress.PoolConfig.from_yaml(config.to_yaml()) == config
    assert getattr(pixpress.PoolConfig.from_yaml(config.to_yaml()), option) == value


def test_cpu_threshold_is_read_too() -> None:
    config = pixpress.PoolConfig.from_yaml("worker: {pool: {cpuThreshold: 75}}")
    assert config.cpu_threshold == 75


def test_the_file_takes_effect(
    tmp_path: Path, jpeg_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    text = SPECIFICATION.replace("4GB", "64MB").replace("min: 1", "min: 2")
    with pixpress.Pool(config=_file(tmp_path, text)) as pool:
        assert pool.stats()["memory_limit"] == 64 << 20
        assert pool.stats()["workers"] == 2
        task = pool.task(pool.submit(jpeg_file).task_id)
        assert task is not None
        assert task.max_retries == 3
        assert len(list(pool.journal_rows())) == 1
        assert pool.metrics().cache is not None
    assert logging.getLogger("pixpress").level == logging.INFO


def test_arguments_win_over_the_environment_over_the_file_over_defaults(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def workers(**options: object) -> int:
        with pixpress.Pool(max_workers=8, **options) as pool:  # type: ignore[arg-type]
            return pool.stats()["workers"]

    config = _file(tmp_path, "worker: {pool: {min: 2}}")
    assert workers() == 1
    assert workers(config=config) == 2
    monkeypatch.setenv("PIXPRESS_MIN_WORKERS", "3")
    assert workers(config=config) == 3
    assert workers(config=config, min_workers=1) == 1  # Although it is the default.


def test_a_wrong_environment_variable_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PIXPRESS_MAX_RETRIES", "many")
    with pytest.raises(pixpress.ConfigError, match=r"PIXPRESS_MAX_RETRIES, got 'many'"):
        pixpress.Pool()


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("worker: {pool: {maxx: 1}}", ("worker.pool.maxx", "Expected one of", "taskTimeout")),
        ("worker: {pools: {}}", ("worker.pools", "Expected one of", "recovery")),
        ("work: {}", ("work", "Expected one of worker")),
        ("worker: {pool: {max: many}}", ("worker.pool.max", "'many'", "a whole number")),
        ("worker: {pool: {max: true}}", ("worker.pool.max", "True", "a whole number")),
        ("worker: {pool: {taskTimeout: -1}}", ("worker.pool.taskTimeout", "-1", "a number")),
        ("worker: {memory: {globalLimit: lots}}", ("worker.memory.globalLimit", "'lots'", "bytes")),
        ("worker: {memory: {gcThreshold: 101}}", ("gcThreshold", "101", "from 1 to 100")),
        ("worker: {performance: {batchGrouping: 1}}", ("batchGrouping", "1", "True or False")),
        ("worker: {monitoring: {logLevel: loud}}", ("logLevel", "'loud'", "one of debug")),
        ("worker: {pool: 3}", ("worker.pool", "3", "keys and values")),
        ("worker: [", ("not YAML",)),
    ],
)
def test_errors_name_the_key_the_value_and_what_was_expected(
    tmp_path: Path, text: str, parts: tuple[str, ...]
) -> None:
    path = _file(tmp_path, text)
    with pytest.raises(pixpress.ConfigError) as raised:
        pixpress.load_config(path)
    for part in (str(path), *parts):
        assert part in str(raised.value)


def test_a_missing_file_is_a_config_error(tmp_path: Path) -> None:
    with pytest.raises(pixpress.ConfigError, match=r"none\.yaml"):
        pixpress.load_config(tmp_path / "none.yaml")


def test_configurations_round_trip() -> None:
    config = pixpress.PoolConfig.from_yaml(SPECIFICATION)
    assert pixpress.PoolConfig.from_yaml(config.to_yaml()) == config


def test_an_empty_file_says_nothing() -> None:
    assert pixpress.PoolConfig.from_yaml("") == pixpress.PoolConfig()
    assert pixpress.PoolConfig.from_yaml("worker:") == pixpress.PoolConfig()


def test_update_config_changes_what_can_change() -> None:
    with pixpress.Pool(max_workers=2) as pool:
        pool.update_config(memory_limit="32MB", max_retries=0, task_timeout=5, log_level="error")
        assert pool.stats()["memory_limit"] == 32 << 20
        assert logging.getLogger("pixpress").level == logging.ERROR


@pytest.mark.parametrize("name", ["max_queue", "durable", "worker_nice", "nonsense"])
def test_update_config_refuses_the_rest(name: str) -> None:
    with (
        pixpress.Pool(max_workers=1) as pool,
        pytest.raises(pixpress.OptionError, match=name),
    ):
        pool.update_config(**{name: 1})

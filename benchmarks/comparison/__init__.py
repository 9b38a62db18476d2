"""The public comparison that benchmarks/compare.py writes, one part per file.

``tasks`` says what is done, and ``inputs`` to what. ``sweep`` and ``score`` find bytes at equal
quality, ``throughput`` and ``memory_growth`` measure, ``page`` and ``plot`` tell.
"""

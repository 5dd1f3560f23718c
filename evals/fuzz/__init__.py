"""Every parser under a coverage-guided fuzzer: ``python -m evals.fuzz``."""

"""The rule: its predicate, its address ranges, and the sieve for its ports."""

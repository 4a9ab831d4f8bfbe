"""The lesson's claims: evidence, rules and verdicts."""

"""Every rule at once: whatever is asked in whatever order, the ledger answers as the naive model does."""

from hypothesis import settings

from tests.support.ledger_rules import Rules

TestRules = Rules.TestCase
TestRules.settings = settings(max_examples=150, stateful_step_count=40, deadline=None)

"""The second book-keeping of costs, and that every entry of the catalog has a cost or says why it has none. Needs no client."""

import unittest

import costs

TOKENS = {"input": 4040, "cached": 1204, "output": 168, "requests": 4}
COMPUTED = {"agent": "codex", "model": "gpt-5.4", "cost_source": "computed", "cost_micros": 12921}
REPORTED = {"agent": "claude", "model": "sonnet", "cost_source": "reported", "cost_micros": 9880}
SAID = '{"type":"result","total_cost_usd":0.0098804}\n'
SONNET = {"claude-sonnet-5-5": TOKENS}


def wrong(attempt, turns, log="", home_prices=None, **changes):
    return costs.compare({**attempt, **changes}, turns, log, home_prices or {}).wrong


class Prices(unittest.TestCase):
    def test_of_the_catalog_are_found(self):
        prices = costs.catalog_prices(costs.catalog_text("codex"))
        self.assertEqual({"input": "2.50", "cached": "0.25", "output": "15"}, prices["gpt-5.4"])
        self.assertEqual({}, costs.catalog_prices(costs.catalog_text("claude")))

    def test_are_rounded_once(self):
        prices = {"input": "1.25", "cached": "0.125", "output": "10"}  # 5050 + 150.5 + 1680
        self.assertEqual([6881, 6881], [costs.price_of(TOKENS, prices, how) for how in ("up", "half up")])
        self.assertEqual([1, 0], [costs.price_of({"input": 0, "cached": 1, "output": 0}, prices, how) for how in ("up", "half up")])


class Printed(unittest.TestCase):
    def test_is_the_last_or_the_sum(self):
        self.assertEqual(9880, costs.printed_cost("claude", '{"type":"result","total_cost_usd":9}\nnoise {\n' + SAID))
        step = '{"type":"step_finish","part":{"cost":0.0000004}}\n'
        self.assertEqual(1, costs.printed_cost("opencode", 2 * step))
        self.assertIsNone(costs.printed_cost("opencode", "{}\n"))
        self.assertIsNone(costs.printed_cost("codex", SAID))


class Compared(unittest.TestCase):
    def test_what_is_right(self):
        self.assertEqual("", wrong(COMPUTED, {"gpt-5.4": TOKENS}))
        self.assertEqual("", wrong(REPORTED, SONNET, SAID))
        self.assertEqual("", wrong(REPORTED, {"another-model": TOKENS}, SAID))  # no price is known, so only what it printed
        unknown = {"agent": "continue", "model": "m", "cost_source": None, "cost_micros": None}
        self.assertEqual("", wrong(unknown, {"m": TOKENS}))

    def test_what_is_wrong(self):
        for why, found in {
            "a micro-dollar more": wrong(COMPUTED, {"gpt-5.4": TOKENS}, cost_micros=12922),
            "another model was asked": wrong(COMPUTED, {"gpt-5.5": TOKENS}),
            "two models were asked": wrong(COMPUTED, {"gpt-5.4": TOKENS, "gpt-5.5": TOKENS}),
            "nothing was asked": wrong(COMPUTED, {}),
            "the client printed another number": wrong(REPORTED, SONNET, '{"type":"result","total_cost_usd":0.01}'),
            "the client printed none": wrong(REPORTED, SONNET),
            "the client's own table gives another": wrong(REPORTED, {"claude-sonnet-5-5": {**TOKENS, "output": 1}}, SAID),
            "the home's table gives another": wrong(REPORTED, {"m": TOKENS}, SAID, {"m": {kind: "1" for kind in costs.KINDS}}),
            "a number of unknown source": wrong(REPORTED, SONNET, SAID, cost_source="unknown"),
            "unknown although printed": wrong(REPORTED, SONNET, SAID, cost_source="unknown", cost_micros=None),
            "unknown although priced": wrong(COMPUTED, {"gpt-5.4": TOKENS}, cost_source="unknown", cost_micros=None),
        }.items():
            self.assertNotEqual("", found, why)


class Catalog(unittest.TestCase):
    def test_an_entry_without_cost_says_why(self):
        for file in sorted(costs.CATALOG.glob("*.yaml")):
            text = file.read_text(encoding="utf-8")
            has_cost = "cost_usd:" in text or costs.catalog_prices(text)
            self.assertTrue(has_cost or costs.says_why_unknown(text), f"{file.name} does not say why its cost is unknown")


if __name__ == "__main__":
    unittest.main()

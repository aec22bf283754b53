"""What an attempt has cost, found out a second time: by the tokens that the model server sent, not by what Bernstein read.

    costs.compare(attempt, turns, log, place.home_prices)   # Verdict: figures, and what is wrong with them

A cost is reported by the client, or computed from the prices of the catalog, or unknown. Bernstein's own code takes no part in
this: prices come from the files of catalog/, numbers from the client's log, both as decimals, and the arithmetic is of integers.
"""

import dataclasses
import decimal
import json
import pathlib
import re

CATALOG = pathlib.Path(__file__).resolve().parents[2] / "catalog"
MILLION = 1_000_000
KINDS = ("input", "cached", "output")

# Where the clients that tell their cost print it: lines of a type (and a role), the keys that lead to it, whether they add up.
PRINTED = {
    "claude": ({"type": "result"}, ("total_cost_usd",), False),
    "opencode": ({"type": "step_finish"}, ("part", "cost"), True),
    "kilo": ({"type": "step_finish"}, ("part", "cost"), True),
    "pi": ({"type": "message_end"}, ("message", "usage", "cost", "total"), True),
}

# Claude Code 2.1.330's own table, in dollars for a million tokens: what it calls tier_2_10_cache_read_0_10.
CLIENT_PRICES = {"claude": {"claude-sonnet-5-5": {"input": "2", "cached": "0.10", "output": "10"}}}


@dataclasses.dataclass
class Verdict:
    source: str  # of the cost: reported, computed, unknown
    recorded: int | None  # micro-USD
    printed: int | None = None  # by the client, in its log
    expected: int | None = None  # from the server's tokens, where there are prices
    wrong: str = ""

    def __str__(self):
        parts = [f"{'no' if self.recorded is None else self.recorded} micro-USD recorded, {self.source}"]
        if self.printed is not None:
            parts.append(f"{self.printed} printed by the client")
        if self.expected is not None:
            parts.append(f"{self.expected} for the tokens sent")
        return "; ".join(parts)


def micros(dollars):
    return int((decimal.Decimal(dollars) * MILLION).to_integral_value(decimal.ROUND_HALF_UP))


def catalog_text(name):
    return (CATALOG / f"{name}.yaml").read_text(encoding="utf-8")


def catalog_prices(text):
    """{model: {input, cached, output}} in dollars for a million tokens, of the flow maps that the catalog writes."""
    prices = {}
    for flow in re.findall(r"\{(name: [^{}]*)\}", text):
        pairs = dict(re.split(r":\s*", pair.strip(), maxsplit=1) for pair in flow.split(","))
        if "input" in pairs and "output" in pairs:
            prices[pairs["name"]] = {kind: pairs.get(kind, "0") for kind in KINDS}
    return prices


def price_of(tokens, prices, rounding):
    """Micro-USD for tokens at prices; one rounding, of the sum."""
    exact = sum(tokens[kind] * micros(prices[kind]) for kind in KINDS)
    return -(-exact // MILLION) if rounding == "up" else (2 * exact + MILLION) // (2 * MILLION)


def printed_cost(name, log):
    """Micro-USD that the client says in its own log, rounded once; None where it says nothing."""
    if name not in PRINTED:
        return None
    wanted, keys, adds_up = PRINTED[name]
    said = None
    for line in log.splitlines():
        try:
            value = json.loads(line, parse_float=decimal.Decimal)
        except ValueError:
            continue
        if not isinstance(value, dict) or any(value.get(key) != word for key, word in wanted.items()):
            continue
        for key in keys:
            value = value.get(key) if isinstance(value, dict) else None
        if isinstance(value, (int, decimal.Decimal)) and not isinstance(value, bool):
            said = value + (said if adds_up and said is not None else 0)
    return None if said is None else micros(said)


def says_why_unknown(text):
    """The head of an entry tells people that its tokens or their cost are not told."""
    head = " ".join(line.lstrip("# ") for line in text.splitlines() if line.startswith("#"))
    return re.search(r"\bcosts?\b|\bno usage\b", head) is not None


def compare(attempt, turns, log, home_prices):
    """`attempt`: a row of attempts. `turns`: {model: tokens} of what the server sent to it. `home_prices`: {model: prices} that
    the rig itself wrote into the client's home."""
    name = attempt["agent"]
    verdict = Verdict(attempt["cost_source"] or "unknown", attempt["cost_micros"], printed_cost(name, log))
    model, tokens = next(iter(turns.items()), (None, None)) if len(turns) == 1 else (None, None)
    if verdict.source == "computed":
        prices = catalog_prices(catalog_text(name)).get(model)
        if prices is None:
            verdict.wrong = f"it is computed, but the server was asked for {', '.join(turns) or 'nothing'}, which has no price"
        elif model != attempt["model"]:
            verdict.wrong = f"the server was asked for {model}, not for {attempt['model']}"
        else:
            verdict.expected = price_of(tokens, prices, "up")
    elif verdict.source == "reported":
        prices = {**CLIENT_PRICES.get(name, {}), **home_prices}.get(model)
        if prices is not None:
            verdict.expected = price_of(tokens, prices, "half up")
        if verdict.printed is None:
            verdict.wrong = "it is called reported, and its log has no cost"
        elif verdict.printed != verdict.recorded:
            verdict.wrong = f"the client printed {verdict.printed} micro-USD, recorded is {verdict.recorded}"
    elif verdict.source == "estimated":  # of a client that was ended: what it told until then
        prices = {**catalog_prices(catalog_text(name)), **CLIENT_PRICES.get(name, {}), **home_prices}.get(model)
        most = None if prices is None else price_of(tokens, prices, "up")
        if most is not None and verdict.recorded > most:
            verdict.wrong = f"recorded are {verdict.recorded} micro-USD, and the tokens sent cost at most {most}"
    elif verdict.recorded is not None:
        verdict.wrong = f"{verdict.recorded} micro-USD of unknown source"
    elif verdict.printed is not None:
        verdict.wrong = f"it is unknown, but the client printed {verdict.printed} micro-USD"
    elif attempt["model"] in catalog_prices(catalog_text(name)):
        verdict.wrong = f"it is unknown, but the catalog has prices for {attempt['model']}"
    elif not says_why_unknown(catalog_text(name)):
        verdict.wrong = f"it is unknown, and catalog/{name}.yaml does not say why"
    if not verdict.wrong and verdict.expected is not None and verdict.expected != verdict.recorded:
        verdict.wrong = f"recorded are {verdict.recorded} micro-USD, the tokens sent cost {verdict.expected}"
    return verdict

"""LinUCB against an implementation of its own kind, and against itself as other compilers make it.

    python3 golden_history.py LINUCB_TRACE

10,000 steps with 10 arms, drawn from a printed seed. Here: decimals of 50 digits, an inverse per arm that is updated by
Sherman & Morrison 1950, contexts from the table in bandit/features.hpp. There: integer sums, doubles, Cholesky. Every
choice must be the same, and every score within 1e-9.

Then the same program is built with -O0 and -O3 by each of g++ and clang++ that is there (and, where a cross compiler and
an emulator are, for arm64), and must print the same bytes.
"""

import decimal
import hashlib
import os
import pathlib
import random
import shutil
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parents[3]
STEPS = 10_000
ARMS = 10
ALPHA_PPM = 300_000
RIDGE_PPM = 1_000_000
TOLERANCE = decimal.Decimal("1e-9")
SOURCES = ["tests/unit/bandit/linucb_trace.cpp", "src/bandit/features.cpp", "src/bandit/linucb.cpp", "src/bandit/policy.cpp",
           "src/base/check.cpp", "src/base/text.cpp"]

decimal.getcontext().prec = 50
Number = decimal.Decimal


def draw_step(dice):
    role = dice.randrange(6)
    features = {
        "bias": 1,
        "checks": dice.randrange(5),
        "complexity": dice.randrange(3),
        "failures": dice.choice([0, 0, 0, 1, 2]),
        "files": dice.randrange(12),
        "high_stakes": dice.choice([0, 0, 0, 1]),
        "minutes": dice.choice([5, 15, 30, 60, 120, 480]),
        "priority": dice.randrange(1, 6),
        "prompt_tokens": dice.randrange(20, 6000),
        "scope": dice.randrange(3),
    }
    for index, name in enumerate(["role_devops", "role_docs", "role_frontend", "role_qa"]):
        features[name] = int(role == index)
    # Stronger arms pass more often and cost more.
    rewards = []
    for arm in range(ARMS):
        passes = dice.random() < 0.95 - features["complexity"] * (ARMS - arm) * 0.04
        rewards.append(dice.randrange(900_000) * (ARMS - arm) // ARMS + 100_000 if passes else 0)
    return features, rewards


def context_of(f):
    def saturated(count, half):
        return Number(count * 1000 // (count + half)) / 1000

    return [Number(value) for value in (
        1, f["complexity"] == 1, f["complexity"] == 2, f["scope"] == 1, f["scope"] == 2)] + [
        saturated(f["checks"], 2), saturated(f["failures"], 1), saturated(f["files"], 4), Number(f["high_stakes"]),
        saturated(f["minutes"], 30), saturated(f["prompt_tokens"], 1000), Number(5 - f["priority"]) / 4,
    ] + [Number(f[role]) for role in ("role_devops", "role_docs", "role_frontend", "role_qa")]


class Arm:
    def __init__(self, size, ridge):
        self.inverse = [[1 / ridge if i == j else Number(0) for j in range(size)] for i in range(size)]
        self.b = [Number(0)] * size

    def times_inverse(self, x):
        used = [(j, value) for j, value in enumerate(x) if value]
        return [sum((row[j] * value for j, value in used), Number(0)) for row in self.inverse]

    def score(self, x, alpha):
        v = self.times_inverse(x)
        mean = sum((bi * vi for bi, vi in zip(self.b, v)), Number(0))  # θᵀx = bᵀA⁻¹x
        square = sum((xi * vi for xi, vi in zip(x, v)), Number(0))
        return mean + alpha * square.sqrt()

    def learn(self, x, reward):
        v = self.times_inverse(x)
        scale = 1 / (1 + sum((xi * vi for xi, vi in zip(x, v)), Number(0)))
        for i, vi in enumerate(v):
            if vi:
                row, factor = self.inverse[i], vi * scale
                for j, vj in enumerate(v):
                    row[j] -= factor * vj
        self.b = [bi + reward * xi for bi, xi in zip(self.b, x)]


def compare(steps, answer):
    alpha = Number(ALPHA_PPM) / 1_000_000
    arms = [Arm(16, Number(RIDGE_PPM) / 1_000_000) for _ in range(ARMS)]
    worst = Number(0)
    chosen = [0] * ARMS
    for number, ((features, rewards), line) in enumerate(zip(steps, answer), 1):
        words = line.split()
        x = context_of(features)
        scores = [arm.score(x, alpha) for arm in arms]
        best = max(range(ARMS), key=lambda arm: (scores[arm], -arm))
        for arm, (ours, theirs) in enumerate(zip(scores, words[1:])):
            difference = abs(ours - Number(float.fromhex(theirs)))
            worst = max(worst, difference)
            if difference > TOLERANCE:
                sys.exit(f"step {number}, arm {arm}: {theirs} is {difference:.2e} off")
        if best != int(words[0]):
            sys.exit(f"step {number}: chose arm {words[0]}, not {best}; scores {[float(s) for s in scores]}")
        chosen[best] += 1
        arms[best].learn(x, Number(rewards[best]) / 1_000_000)
    print(f"{STEPS} steps, {ARMS} arms: every choice equal, scores at most {worst:.1e} apart; chosen {chosen}")
    if sum(count > 50 for count in chosen) < 3:
        sys.exit("the history is too easy: hardly any arm was ever chosen")


def play(command, text):
    done = subprocess.run([*command, str(ARMS), str(ALPHA_PPM), str(RIDGE_PPM)], input=text, capture_output=True, text=True,
                          timeout=120, check=True)
    return done.stdout


def builds(directory):
    """(name, command to build, command to run) of each compiler that is there."""
    emulator = shutil.which("qemu-aarch64-static") or shutil.which("qemu-aarch64")
    for compiler, runner, extra in [("g++", [], []), ("clang++", [], []),
                                    ("aarch64-linux-gnu-g++", [emulator], ["-static"])]:
        if not shutil.which(compiler) or runner == [None]:
            print(f"SKIPPED: {compiler} is not installed" + (", or no emulator" if runner else ""))
            continue
        for level in ("-O0", "-O3"):
            program = str(directory / f"{compiler}{level}")
            yield (f"{compiler} {level}",
                   [compiler, "-std=c++20", level, "-ffp-contract=off", "-w", *extra, f"-I{ROOT}/include", f"-I{ROOT}/src",
                    "-isystem", "/usr/include/eigen3", *[str(ROOT / source) for source in SOURCES], "-o", program],
                   [*runner, program])


def main():
    program = sys.argv[1]
    seed = int(os.environ.get("BERNSTEIN_SEED", "20101"))
    print(f"seed {seed}")
    dice = random.Random(seed)
    steps = [draw_step(dice) for _ in range(STEPS)]
    text = "".join(" ".join(map(str, [*features.values(), *rewards])) + "\n" for features, rewards in steps)
    answer = play([program], text)
    lines = answer.splitlines()
    if len(lines) != STEPS:
        sys.exit(f"{len(lines)} answers to {STEPS} steps")
    compare(steps, lines)
    digest = hashlib.sha256(answer.encode()).hexdigest()
    with tempfile.TemporaryDirectory() as directory:
        for name, build, run in builds(pathlib.Path(directory)):
            subprocess.run(build, check=True, timeout=240)
            other = hashlib.sha256(play(run, text).encode()).hexdigest()
            if other != digest:
                sys.exit(f"{name} gives other bits: {other}, not {digest}")
            print(f"{name}: the same bits")


if __name__ == "__main__":
    main()

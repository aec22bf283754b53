"""The rules of the house (docs/architecture.md), read from the sources.

    python3 tests/arch/house_test.py [ROOT]

Fails with a line for each broken rule: `file:line: what, and what to use instead`. CMake cannot enforce these: the headers
of every library lie in one directory. The second half of this file plants a breach of each rule and sees it found.
"""

import pathlib
import re
import sys
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[2]

GROUND = {"base", "event"}
CORE = {"plan", "bandit", "state", "decide"}
TRANSLATORS = {"agent", "janitor", "planner"}
DOORS = {"store", "git", "proc"}
PURE = GROUND | CORE | TRANSLATORS

# Which rooms a room may include, besides itself.
MAY_INCLUDE = {
    "base": set(),
    "event": {"base"},
    "plan": GROUND,
    "bandit": GROUND,
    "state": GROUND | {"bandit"},
    "decide": GROUND | {"bandit", "state"},
    "agent": GROUND | CORE,
    "janitor": GROUND | CORE,
    "planner": GROUND | CORE,
    "port": GROUND,
    "failpoint": set(),
    "store": GROUND | {"port", "failpoint"},
    "git": GROUND | {"port", "failpoint"},
    "proc": GROUND | {"port", "failpoint"},
    "exec": GROUND | {"port", "proc", "failpoint"},
    "run": GROUND | CORE | TRANSLATORS | {"port", "failpoint"},
}
EVERYTHING = set(MAY_INCLUDE)
MAY_INCLUDE["cli"] = EVERYTHING
MAY_INCLUDE["main"] = EVERYTHING | {"cli"}

# What to do instead, for the includes that are most often tried.
INSTEAD = {
    "store": "use port/event_log.hpp or port/blob_store.hpp and let main wire",
    "git": "use port/workspace.hpp and let main wire",
    "proc": "use port/reactor.hpp and let main wire",
    "run": "pass what is needed as a value",
    "failpoint": "a site belongs where the world is changed, in a door or in run/",
    "cli": "return a value and let cli/ print it",
}

# Third-party headers: which rooms may include them, and what the others use.
LIBRARIES = [
    (re.compile(r"SQLiteCpp/|sqlite3"), {"store"}, "use port/event_log.hpp"),
    (re.compile(r"git2(/|\.h)"), {"git"}, "use port/workspace.hpp"),
    (re.compile(r"uv(/|\.h)"), {"proc"}, "use port/reactor.hpp"),
    (re.compile(r"yaml-cpp/"), {"plan"}, "use plan/plan.hpp or plan/config.hpp"),
    (re.compile(r"(Eigen|unsupported)/"), {"bandit"}, "use bandit/linucb.hpp"),
    (re.compile(r"nlohmann/"), {"agent", "planner", "cli", "proc"}, "use event/codec.hpp for events"),
    (re.compile(r"CLI/"), {"cli"}, "use cli/commands.hpp"),
    (re.compile(r"openssl/"), {"base"}, "use base/sha256.hpp"),
    (re.compile(r"(spdlog|fmt)/"), DOORS | {"cli"}, "return the reason as a value"),
]

STANDARD = set(
    """algorithm any array atomic barrier bit bitset cassert cctype cerrno cfenv cfloat charconv chrono cinttypes climits
    clocale cmath codecvt compare complex concepts condition_variable coroutine csetjmp csignal cstdarg cstddef cstdint
    cstdio cstdlib cstring ctime cuchar cwchar cwctype deque exception execution filesystem forward_list fstream functional
    future initializer_list iomanip ios iosfwd iostream istream iterator latch limits list locale map memory
    memory_resource mutex new numbers numeric optional ostream queue random ranges ratio regex scoped_allocator semaphore
    set shared_mutex source_location span sstream stack stdexcept stop_token streambuf string string_view strstream
    syncstream system_error thread tuple type_traits typeindex typeinfo unordered_map unordered_set utility valarray
    variant vector version""".split()
)

# Floors 0-2 see the world through events alone.
CLOCK = "time arrives in events: use Event::at_us"
CHANCE = "randomness comes from the run's seed"
DISK = "files arrive as text: let a door read them"
THREAD = "the core has one thread: let port::Reactor do background work"
ORDER = "hash order differs from machine to machine: use std::map or std::set"
SILENT = "the core does not print: return a reason"
WORLD = "the core sees no operating system: use a port"
IMPURE_HEADERS = {
    "chrono": CLOCK, "ctime": CLOCK, "random": CHANCE, "filesystem": DISK, "fstream": DISK, "iostream": SILENT,
    "thread": THREAD, "mutex": THREAD, "shared_mutex": THREAD, "future": THREAD, "atomic": THREAD,
    "condition_variable": THREAD, "semaphore": THREAD, "latch": THREAD, "barrier": THREAD, "stop_token": THREAD,
    "csignal": WORLD, "unordered_map": ORDER, "unordered_set": ORDER,
}  # fmt: skip
IMPURE_CODE = [
    (re.compile(r"\bstd::chrono\b|\b(gettimeofday|clock_gettime|localtime|gmtime|strftime)\b"), CLOCK),
    (re.compile(r"(?<![\w.>:])(?:std::|::)?time\s*\(\s*(?:nullptr|NULL|0|&\w+)?\s*\)"), CLOCK),
    (re.compile(r"(?<![\w.>:])(?:std::|::)?clock\s*\(\s*\)"), CLOCK),
    (re.compile(r"\b(?:std::)?(?:secure_)?getenv\b|\benviron\b"), "the environment arrives in RunConfig"),
    (re.compile(r"\bstd::filesystem\b|\b[io]?fstream\b|\bfopen\s*\("), DISK),
    (re.compile(r"\bstd::(?:jthread|thread|async|mutex|atomic|future|promise)\b"), THREAD),
    (re.compile(r"\b(?:random_device|mt19937(?:_64)?|default_random_engine|\w+_distribution)\b"), CHANCE),
    (re.compile(r"\bstd::shuffle\b|(?<![\w.>:])(?:std::|::)?s?rand\s*\("), CHANCE),
    (re.compile(r"\bunordered_(?:multi)?(?:map|set)\b"), ORDER),
    (re.compile(r"\bstd::(?:cout|cerr|clog)\b|\bspdlog::"), SILENT),
]
UNREPEATABLE_FLAGS = re.compile(r"-ffast-math|-Ofast|-march=native|-mtune=native|-funsafe-math-optimizations")

INCLUDE = re.compile(r'^\s*#\s*include\s*([<"])([^>"]+)[>"]')


def without_comments(text, keep_strings):
    """The text with comments (and, unless kept, what stands in strings) blanked; every line keeps its number."""
    token = re.compile(
        r'//[^\n]*|/\*.*?\*/|R"([^\s()\\]{0,16})\(.*?\)\1"|"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])+\'', re.DOTALL
    )

    def blank(match):
        found = match.group(0)
        if keep_strings and not found.startswith("/"):
            return found
        return re.sub(r"[^\n]", " ", found)

    # A separator of digits (1'000'000) is no quote.
    return token.sub(blank, re.sub(r"(?<=[0-9a-fA-F])'(?=[0-9a-fA-F])", " ", text))


def room_of(path):
    parts = pathlib.PurePosixPath(path).parts
    if parts[:2] == ("include", "bernstein") and len(parts) > 3:
        return parts[2]
    if parts[0] == "src" and len(parts) > 2:
        return parts[1]
    return "main"


def fault_of_include(path, quote, name, exists):
    """What is wrong with one include, or None. `exists(path)` says whether the tree has that file."""
    room = room_of(path)
    is_door = path.startswith("include/")
    if name.startswith("bernstein/"):
        other = name.split("/")[1]
        if other != room and other not in MAY_INCLUDE.get(room, set()):
            return f"{room}/ may not include {name}; {INSTEAD.get(other, 'move what both need to a floor below')}"
        return None
    if quote == '"':
        if is_door:
            return f'a door includes the standard library and "bernstein/..." alone; move {name} to the .cpp'
        beside = str(pathlib.PurePosixPath(path).parent / name)
        if ("/" not in name and exists(beside)) or (name.startswith(room + "/") and exists("src/" + name)):
            return None
        if room == "main" and name.startswith("cli/"):
            return None
        if room == "exec" and name.startswith("proc/") and exists("src/" + name):  # the other end of src/proc/control.hpp
            return None
        return f'"{name}" is not beside this file; include another room by its door "bernstein/<room>/..."'
    for library, rooms, instead in LIBRARIES:
        if library.match(name):
            if is_door:
                return f"a door includes no third-party header; move <{name}> to the .cpp"
            if room not in rooms:
                return f"<{name}> belongs to {', '.join(sorted(rooms))}; {instead}"
            if name == "nlohmann/json.hpp" and not path.endswith(".cpp"):
                return f"<{name}> is heavy; include it in a .cpp"
            return None
    if room in PURE:
        if name in IMPURE_HEADERS:
            return f"<{name}>: {IMPURE_HEADERS[name]}"
        if name not in STANDARD:
            return f"<{name}> is not the standard library; {WORLD}"
    elif name not in STANDARD and not is_system_header(name):
        return f"<{name}> is no library of ours; give it a room in tests/arch/house_test.py and a reason in docs/decisions"
    elif is_door and name not in STANDARD:
        return f"a door includes no system header; move <{name}> to the .cpp"
    return None


def is_system_header(name):
    return re.fullmatch(r"(sys|linux|netinet|arpa)/[a-z_0-9]+\.h|[a-z_0-9]+\.h", name) is not None


def faults_of_source(path, text, exists):
    """(line, message) for each breach in a C++ file; `path` is relative to the root, with '/'."""
    faults = []
    for number, line in enumerate(without_comments(text, keep_strings=True).splitlines(), 1):
        if match := INCLUDE.match(line):
            if fault := fault_of_include(path, match.group(1), match.group(2), exists):
                faults.append((number, fault))
    if room_of(path) in PURE:
        for number, line in enumerate(without_comments(text, keep_strings=False).splitlines(), 1):
            if INCLUDE.match(line) or line.lstrip().startswith("#"):
                continue
            for pattern, instead in IMPURE_CODE:
                if match := pattern.search(line):
                    faults.append((number, f"{match.group(0).strip()}: {instead}"))
    if path.endswith(".hpp") and "#pragma once" not in text:
        faults.append((1, "a header begins with #pragma once"))
    return sorted(faults)


def faults_of_build(text):
    faults = []
    for number, line in enumerate(text.splitlines(), 1):
        if match := UNREPEATABLE_FLAGS.search(line.split("#")[0]):
            faults.append((number, f"{match.group(0)} changes results from machine to machine; -O2 is what there is"))
    return faults


def tree_faults(root):
    """All faults of a tree as printable lines, and how many files were read."""
    lines = []
    read = 0
    sources = [p for folder in ("include", "src") for p in sorted((root / folder).rglob("*")) if p.suffix in (".hpp", ".cpp")]
    builds = [root / "CMakeLists.txt", root / "CMakePresets.json"]
    builds += [p for folder in ("cmake", "src", "tests", "tools") for p in sorted((root / folder).rglob("*"))
               if p.name == "CMakeLists.txt" or p.suffix == ".cmake"]  # fmt: skip
    for file in sources:
        read += 1
        path = file.relative_to(root).as_posix()
        text = file.read_text(encoding="utf-8")
        lines += [f"{path}:{n}: {what}" for n, what in faults_of_source(path, text, lambda p: (root / p).is_file())]
    for file in builds:
        if file.is_file():
            read += 1
            lines += [f"{file.relative_to(root).as_posix()}:{n}: {what}" for n, what in faults_of_build(file.read_text())]
    return lines, read


class House(unittest.TestCase):
    def test_the_tree_keeps_the_rules(self):
        lines, read = tree_faults(ROOT)
        self.assertGreater(read, 30, "the sources were not found")
        if lines:
            self.fail("rules of the house are broken:\n" + "\n".join(lines))


def breaches(path, text, files=()):
    return [what for _, what in faults_of_source(path, text, lambda p: p in files)]


class Rules(unittest.TestCase):
    """Each rule finds a breach planted for it, and leaves the like that is allowed alone."""

    def test_an_include_that_goes_up_a_floor_is_found_with_its_line(self):
        text = '#include "bernstein/base/id.hpp"\n#include "bernstein/run/loop.hpp"\n'
        self.assertEqual(
            [(2, "state/ may not include bernstein/run/loop.hpp; pass what is needed as a value")],
            faults_of_source("src/state/apply.cpp", text, lambda p: False),
        )

    def test_neighbours_on_a_floor_do_not_include_each_other(self):
        for path, header in [
            ("src/base/id.cpp", "event/event.hpp"),
            ("src/plan/yaml.cpp", "state/run_state.hpp"),
            ("src/state/apply.cpp", "decide/decide.hpp"),
            ("src/decide/decide.cpp", "plan/plan.hpp"),
            ("src/agent/prompt.cpp", "janitor/janitor.hpp"),
            ("src/store/store.cpp", "git/workspace.hpp"),
            ("src/git/repository.cpp", "run/loop.hpp"),
            ("src/proc/reactor.cpp", "decide/decide.hpp"),
            ("include/bernstein/port/reactor.hpp", "state/run_state.hpp"),
        ]:
            with self.subTest(path):
                self.assertEqual(1, len(breaches(path, f'#pragma once\n#include "bernstein/{header}"\n')))

    def test_the_loop_knows_ports_and_no_doors(self):
        self.assertEqual([], breaches("src/run/loop.cpp", '#include "bernstein/port/reactor.hpp"\n'))
        self.assertEqual(
            ["run/ may not include bernstein/proc/reactor.hpp; use port/reactor.hpp and let main wire"],
            breaches("src/run/loop.cpp", '#include "bernstein/proc/reactor.hpp"\n'),
        )

    def test_what_the_house_allows_is_no_fault(self):
        for path, line in [
            ("src/decide/decide.cpp", '#include "bernstein/state/run_state.hpp"'),
            ("src/cli/run.cpp", '#include "bernstein/store/store.hpp"'),
            ("src/main.cpp", '#include "cli/app.hpp"'),
            ("src/proc/reactor.cpp", "#include <uv.h>"),
            ("src/proc/reactor.cpp", "#include <sys/wait.h>"),
            ("src/cli/sql.cpp", "#include <nlohmann/json.hpp>"),
            ("src/plan/yaml.cpp", "#include <map>"),
        ]:
            with self.subTest(line):
                self.assertEqual([], breaches(path, line + "\n"))

    def test_failpoints_stand_where_the_world_is_changed(self):
        line = '#include "bernstein/failpoint/failpoint.hpp"\n'
        for path in ["src/store/log.cpp", "src/git/landing.cpp", "src/proc/reactor.cpp", "src/exec/main.cpp",
                     "src/run/loop.cpp"]:  # fmt: skip
            with self.subTest(path):
                self.assertEqual([], breaches(path, line))
        self.assertEqual(
            ["decide/ may not include bernstein/failpoint/failpoint.hpp; "
             "a site belongs where the world is changed, in a door or in run/"],
            breaches("src/decide/decide.cpp", line),
        )  # fmt: skip
        self.assertEqual(1, len(breaches("src/failpoint/failpoint.cpp", '#include "bernstein/port/reactor.hpp"\n')))

    def test_third_party_headers_stay_in_their_room(self):
        for header in ["SQLiteCpp/Database.h", "sqlite3.h", "git2.h", "git2/merge.h", "uv.h", "yaml-cpp/yaml.h",
                       "Eigen/Dense", "nlohmann/json.hpp", "CLI/CLI.hpp", "openssl/evp.h", "spdlog/spdlog.h",
                       "fmt/format.h"]:  # fmt: skip
            with self.subTest(header):
                self.assertEqual(1, len(breaches("src/run/loop.cpp", f"#include <{header}>\n")))

    def test_an_unknown_library_needs_a_room(self):
        self.assertIn("is no library of ours", breaches("src/cli/run.cpp", "#include <boost/asio.hpp>\n")[0])

    def test_a_door_shows_no_library(self):
        self.assertEqual(
            ["a door includes no third-party header; move <git2.h> to the .cpp"],
            breaches("include/bernstein/git/workspace.hpp", "#pragma once\n#include <git2.h>\n"),
        )
        self.assertEqual(1, len(breaches("include/bernstein/proc/reactor.hpp", "#pragma once\n#include <unistd.h>\n")))
        self.assertEqual(1, len(breaches("include/bernstein/git/workspace.hpp", '#pragma once\n#include "handle.hpp"\n')))

    def test_json_stays_in_sources(self):
        self.assertIn("is heavy", breaches("src/cli/a.hpp", "#pragma once\n#include <nlohmann/json.hpp>\n")[0])

    def test_private_headers_are_private(self):
        files = {"src/git/handle.hpp"}
        self.assertEqual([], breaches("src/git/tree/merge.cpp", '#include "git/handle.hpp"\n', files))
        self.assertEqual([], breaches("src/git/merge.cpp", '#include "handle.hpp"\n', files))
        self.assertEqual(1, len(breaches("src/cli/diff.cpp", '#include "../git/handle.hpp"\n', files)))
        self.assertEqual(1, len(breaches("src/cli/diff.cpp", '#include "git/handle.hpp"\n', files)))

    def test_the_supervisor_shares_the_pieces_of_its_starter_and_nobody_elses(self):
        files = {"src/proc/control.hpp", "src/git/handle.hpp"}
        self.assertEqual([], breaches("src/exec/main.cpp", '#include "proc/control.hpp"\n', files))
        self.assertEqual(1, len(breaches("src/exec/main.cpp", '#include "git/handle.hpp"\n', files)))
        self.assertEqual(1, len(breaches("src/exec/main.cpp", '#include "bernstein/run/loop.hpp"\n')))
        self.assertEqual(1, len(breaches("src/exec/main.cpp", "#include <uv.h>\n")))

    def test_the_core_has_no_clock_chance_disk_thread_or_voice(self):
        for line in [
            "auto now = std::chrono::steady_clock::now();",
            "auto now = std::time(nullptr);",
            "long now = time(0);",
            "clock_gettime(CLOCK_REALTIME, &spec);",
            'const char* home = std::getenv("HOME");',
            "std::filesystem::exists(path);",
            'FILE* file = fopen("x", "r");',
            "std::ifstream in(path);",
            "std::thread worker(run);",
            "std::mutex guard;",
            "std::random_device device;",
            "std::mt19937_64 engine(1);",
            "std::uniform_int_distribution<int> die(1, 6);",
            "int n = rand();",
            "std::unordered_map<int, int> seen;",
            "std::cerr << 1;",
            "#include <chrono>",
            "#include <unordered_set>",
            "#include <fstream>",
            "#include <unistd.h>",
        ]:
            with self.subTest(line):
                self.assertEqual(1, len(breaches("src/decide/x.cpp", line + "\n")), breaches("src/decide/x.cpp", line))
                self.assertEqual([], breaches("src/cli/x.cpp", line + "\n"))

    def test_words_in_comments_strings_and_names_are_no_use(self):
        text = (
            "// std::chrono would be wrong here, as std::getenv would\n"
            "/* std::thread\n   std::mutex */\n"
            'const char* text = "std::random_device // time(0)";\n'
            "const char* raw = R\"(std::cerr)\";\n"
            "Micros wait = 1'000'000; char c = '\"'; auto t = row.time(); auto u = lifetime(3);\n"
        )
        self.assertEqual([], breaches("src/state/x.cpp", text))

    def test_a_comment_does_not_hide_the_code_after_it(self):
        text = "/* one\n two */ std::thread worker;\n"
        self.assertEqual([2], [n for n, _ in faults_of_source("src/state/x.cpp", text, lambda p: False)])

    def test_a_header_without_pragma_once_is_found(self):
        self.assertEqual(["a header begins with #pragma once"], breaches("include/bernstein/base/id.hpp", "struct A {};\n"))

    def test_flags_that_change_results_are_found_in_build_files(self):
        text = "set(x 1)\nadd_compile_options(-O2 -march=native)\n# never -ffast-math\n"
        self.assertEqual([2], [n for n, _ in faults_of_build(text)])


if __name__ == "__main__":
    if len(sys.argv) > 1 and not sys.argv[1].startswith("-"):
        ROOT = pathlib.Path(sys.argv.pop(1)).resolve()
    unittest.main()

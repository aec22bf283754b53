#pragma once
// Whether an attempt made the tests weaker: deleted some, has some skipped, took some out of their file. It may have
// been its task; a person ought to hear of it, because a check that runs fewer tests is green more easily.
//
//     tests_weakened(work.changes, before, after)
//         {"deletes tests/test_a.py", "skips 2 tests in tests/test_b.py (@pytest.mark.skip)",
//          "takes 3 tests out of src/limit_test.go"}
//
// Read line by line, by what files and tests are called in Python, JavaScript and TypeScript, Go, Rust, Java and
// Kotlin, C and C++, Ruby, PHP and C#: no parser, so it can be misled, both ways. Tests that left one file and came
// into another were moved, and are not told.

#include <cstddef>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "bernstein/event/terms.hpp"

namespace bernstein::janitor {

inline constexpr std::size_t k_weakened_max = 20;             // sentences; of more the last one counts the rest
inline constexpr std::size_t k_test_bytes_max = 1 << 20;      // larger files are not read
inline constexpr std::size_t k_test_files_read_max = 10'000;  // nor are more than these

// Whether its name, or a directory that it lies in, says that a file holds tests.
bool is_test_file(std::string_view path);

// The bytes of a file, nothing when there is none.
using TextOf = std::function<std::optional<std::string>(const std::string& path)>;

// Clauses without a subject, by the order of the changes. `before` and `after` are asked for what may hold tests only.
std::vector<std::string> tests_weakened(std::span<const ChangedPath> changes, const TextOf& before,
                                        const TextOf& after);

}  // namespace bernstein::janitor

#pragma once
// A check in words, for texts that agents read (Markdown).

#include <string>

#include "bernstein/event/spec.hpp"

namespace bernstein::plan {

// "`src/a.py` contains `def main`". Of a command, what must hold is its exit code: "`make test` exits with 0".
std::string in_words(const CheckSpec& check);

}  // namespace bernstein::plan

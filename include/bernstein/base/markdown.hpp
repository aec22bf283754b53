#pragma once
// Foreign text in Markdown, so that it stays what it is: a file's name, output, an answer. Whatever the text holds, it
// cannot end its quotation early.
//
//     code_span("src/a.cpp")      `src/a.cpp`
//     code_block("a\n```\nb")     ````, a line each for a, ``` and b, ````

#include <cstddef>
#include <string>

namespace bernstein {

// What a block adds to its text, at most.
inline constexpr std::size_t k_code_block_bytes = 48;

// A short text on one line; line breaks in it become \n and \r.
std::string code_span(const std::string& text);

// A long text between two fences, each on a line. Where it has 20 backticks in a row or more, all of its backticks
// become apostrophes.
std::string code_block(std::string text);

}  // namespace bernstein

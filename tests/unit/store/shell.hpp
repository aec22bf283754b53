#pragma once
// Programs that look at the database from outside: sqlite3 and python3, as a person or an auditor would use them.

#include <stdio.h>
#include <sys/wait.h>

#include <array>
#include <string>

#include "bernstein/base/check.hpp"

namespace bernstein::test {

struct Ran {
  int exit_code = 0;
  std::string output;  // stdout and stderr
};

inline std::string quoted(const std::string& text) {
  std::string word = "'";
  for (const char c : text) word += c == '\'' ? std::string("'\\''") : std::string(1, c);
  return word + "'";
}

inline Ran run(const std::string& command) {
  FILE* pipe = ::popen((command + " 2>&1").c_str(), "r");
  BERNSTEIN_CHECK(pipe != nullptr, "a shell can be started");
  Ran ran;
  std::array<char, 4096> piece{};
  while (const std::size_t size = ::fread(piece.data(), 1, piece.size(), pipe)) ran.output.append(piece.data(), size);
  ran.exit_code = WEXITSTATUS(::pclose(pipe));
  return ran;
}

inline Ran sqlite3_shell(const std::string& database, const std::string& sql) {
  return run("sqlite3 -bail " + quoted(database) + " " + quoted(sql));
}

}  // namespace bernstein::test

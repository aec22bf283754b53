#pragma once
// Which language a project is written in, by the files at its root, and the gates that follow. Pure.
//
//     Detected found = detect({"Cargo.toml", "src", ...}, read);      // {"cargo"}, build: cargo build, tests: cargo
//     test

#include <functional>
#include <string>
#include <vector>

namespace bernstein::cli {

struct Proposal {
  std::string name;  // of the gate
  std::string command;
};

struct Detected {
  std::vector<std::string> kinds;     // "cmake", "cargo", ...; empty: nothing known
  std::vector<Proposal> gates;        // in the order in which they should run; names are unique
  std::vector<std::string> symlinks;  // directories that worktrees should share: node_modules, .venv
};

// `paths`: every path of the tree. `read`: the text of a file, "" when there is none.
Detected detect(const std::vector<std::string>& paths, const std::function<std::string(const std::string&)>& read);

}  // namespace bernstein::cli

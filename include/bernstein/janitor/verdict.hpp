#pragma once
// What a check found: a verdict and its reason. The facts (a tree's listing, a file's bytes, how a process ended) are
// gathered by others; here they are judged.
//
//     janitor::judge_tree(check, listing)          {failed, "no file src/a.cpp"}
//     janitor::judge_command({.exit_code = 1})     {failed, "exit 1"}
//     janitor::evidence_label("tests", result)     "check 'tests' failed: exit 1"

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "bernstein/base/units.hpp"
#include "bernstein/event/event.hpp"
#include "bernstein/event/spec.hpp"

namespace bernstein::janitor {

struct CheckResult {
  CheckVerdict verdict = CheckVerdict::passed;
  std::string why;  // a clause; also for a check that passed
  bool operator==(const CheckResult&) const = default;
};

struct TreeEntry {
  std::string path;
  bool directory = false;
};

// path_exists and glob_exists. A path that ends with '/' must be a directory; any other may be either.
CheckResult judge_tree(const CheckSpec& check, std::span<const TreeEntry> tree);

// file_contains. `content` are the bytes of the file at check.path, nothing when there is no such file.
CheckResult judge_file(const CheckSpec& check, const std::optional<std::string>& content);

// How the process of a command check ended.
struct CommandEnd {
  int exit_code = 0;
  int signal = 0;  // 0: it exited by itself
  bool timed_out = false;
  bool stopped = false;  // by us, before it was done: says nothing about the tree
  Micros timeout_us = 0;
};
CheckResult judge_command(const CommandEnd& end);

// A check that could not be done at all, such as a shell that is missing.
CheckResult could_not_run(const std::string& why);

// "check 'tests' failed: exit 1": what the next attempt reads. For one that passed: "check 'tests' passed: exit 0".
std::string evidence_label(std::string_view name, const CheckResult& result);

// How a check's command is run: {"/bin/sh", "-c", command}.
std::vector<std::string> command_line(const CheckSpec& check);

}  // namespace bernstein::janitor

#include "bernstein/janitor/verdict.hpp"

#include <algorithm>

#include "bernstein/base/check.hpp"
#include "bernstein/base/path.hpp"
#include "bernstein/base/text.hpp"

namespace bernstein::janitor {
namespace {

constexpr std::size_t k_quote_bytes_max = 80;

CheckResult passed(std::string why) {
  return {CheckVerdict::passed, std::move(why)};
}
CheckResult failed(std::string why) {
  return {CheckVerdict::failed, std::move(why)};
}

// A text in quotes, on one line and of a length that fits into a sentence.
std::string quoted(const std::string& text) {
  std::string line = replace_all(replace_all(printable_utf8(text), "\n", "\\n"), "\t", "\\t");
  if (line.size() > k_quote_bytes_max) {
    std::size_t end = k_quote_bytes_max;
    while (end > 0 && (static_cast<unsigned char>(line[end]) & 0xC0U) == 0x80U) --end;
    line = line.substr(0, end) + "...";
  }
  return "\"" + line + "\"";
}

CheckResult judge_path(const std::string& wanted, std::span<const TreeEntry> tree) {
  const bool wants_directory = wanted.ends_with('/');
  const std::string path = wants_directory ? wanted.substr(0, wanted.size() - 1) : wanted;
  const auto found = std::find_if(tree.begin(), tree.end(), [&](const TreeEntry& entry) { return entry.path == path; });
  if (found == tree.end()) return failed(wants_directory ? "no directory " + path : "no file " + path);
  if (wants_directory && !found->directory) return failed(path + " is a file, not a directory");
  return passed(path + " exists");
}

CheckResult judge_glob(const std::string& pattern, std::span<const TreeEntry> tree) {
  const auto found =
      std::find_if(tree.begin(), tree.end(), [&](const TreeEntry& entry) { return matches(pattern, entry.path); });
  if (found == tree.end()) return failed("no path matches " + pattern);
  return passed(found->path + " matches " + pattern);
}

}  // namespace

CheckResult judge_tree(const CheckSpec& check, std::span<const TreeEntry> tree) {
  BERNSTEIN_CHECK(check.type == CheckType::path_exists || check.type == CheckType::glob_exists,
                  "the check looks at paths");
  return check.type == CheckType::path_exists ? judge_path(check.path, tree) : judge_glob(check.path, tree);
}

CheckResult judge_file(const CheckSpec& check, const std::optional<std::string>& content) {
  BERNSTEIN_CHECK(check.type == CheckType::file_contains, "the check looks into a file");
  if (!content) return failed("no file " + check.path);
  const bool contains = content->find(check.contains) != std::string::npos;
  return contains ? passed(check.path + " contains " + quoted(check.contains))
                  : failed(check.path + " does not contain " + quoted(check.contains));
}

CheckResult judge_command(const CommandEnd& end) {
  if (end.stopped) return could_not_run("stopped before it was done");
  if (end.timed_out) return {CheckVerdict::timed_out, "still running after " + format_duration(end.timeout_us)};
  if (end.signal != 0) return failed("killed by signal " + std::to_string(end.signal));
  const std::string why = "exit " + std::to_string(end.exit_code);
  return end.exit_code == 0 ? passed(why) : failed(why);
}

CheckResult could_not_run(const std::string& why) {
  return {CheckVerdict::error, why};
}

std::string evidence_label(std::string_view name, const CheckResult& result) {
  const std::string check = "check '" + std::string(name) + "' ";
  switch (result.verdict) {
    case CheckVerdict::passed:
      return check + "passed: " + result.why;
    case CheckVerdict::failed:
      return check + "failed: " + result.why;
    case CheckVerdict::timed_out:
      return check + "timed out: " + result.why;
    case CheckVerdict::error:
      return check + "could not be run: " + result.why;
    case CheckVerdict::count_:
      break;
  }
  BERNSTEIN_CHECK(false, "a verdict is one of the four");
  return check;
}

std::vector<std::string> command_line(const CheckSpec& check) {
  BERNSTEIN_CHECK(!check.command.empty(), "the check is a command");
  return {"/bin/sh", "-c", check.command};
}

}  // namespace bernstein::janitor

#include "object_fault.hpp"

#include <algorithm>
#include <cstdint>
#include <set>

#include "names.hpp"

namespace bernstein::git {
namespace {

constexpr std::size_t k_date_digits_max = 18;

bool is_digits(std::string_view text) {
  return !text.empty() && std::all_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; });
}

// "A U Thor <author@example.com> 1700000000 +0100"
bool is_identity(std::string_view line) {
  const std::size_t open = line.find_first_of("<>");
  if (open == std::string_view::npos || line[open] != '<' || open == 0 || line[open - 1] != ' ') return false;
  line.remove_prefix(open + 1);
  const std::size_t close = line.find_first_of("<>");
  if (close == std::string_view::npos || line[close] != '>') return false;
  line.remove_prefix(close + 1);
  if (!line.starts_with(' ')) return false;
  line.remove_prefix(1);
  const std::size_t space = line.find(' ');
  if (space == std::string_view::npos) return false;
  const std::string_view date = line.substr(0, space);
  const std::string_view zone = line.substr(space + 1);
  const bool padded = date.size() > 1 && date.front() == '0';
  return is_digits(date) && !padded && date.size() <= k_date_digits_max && zone.size() == 5 &&
         (zone.front() == '+' || zone.front() == '-') && is_digits(zone.substr(1));
}

}  // namespace

std::optional<std::string> commit_fault(std::string_view bytes) {
  if (bytes.find('\0') != std::string_view::npos) return "it has a NUL byte";
  const auto next_line = [&]() -> std::optional<std::string_view> {
    const std::size_t end = bytes.find('\n');
    if (end == std::string_view::npos) return {};
    const std::string_view line = bytes.substr(0, end);
    bytes.remove_prefix(end + 1);
    return line;
  };
  std::optional<std::string_view> line = next_line();
  if (!line || !line->starts_with("tree ") || !is_hex_oid(line->substr(5))) return "its tree line is malformed";
  for (line = next_line(); line && line->starts_with("parent "); line = next_line()) {
    if (!is_hex_oid(line->substr(7))) return "a parent line is malformed";
  }
  if (!line || !line->starts_with("author ") || !is_identity(line->substr(7))) return "its author line is malformed";
  line = next_line();
  if (!line || !line->starts_with("committer ") || !is_identity(line->substr(10))) {
    return "its committer line is malformed";
  }
  for (line = next_line(); line && !line->empty(); line = next_line()) {
    if (line->starts_with("author ")) return "it has several authors";
  }
  if (!line) return "its header has no end";
  return std::nullopt;
}

RawTree parse_tree(std::string_view bytes) {
  RawTree tree;
  const auto fail = [&](std::string what) {
    tree.entries.clear();
    tree.fault = std::move(what);
    return tree;
  };
  std::set<std::string_view> names;
  std::string last;
  while (!bytes.empty()) {
    const std::size_t space = bytes.find(' ');
    const std::size_t nul = bytes.find('\0');
    if (space == std::string_view::npos || nul == std::string_view::npos || nul < space ||
        bytes.size() < nul + 1 + GIT_OID_RAWSZ) {
      return fail("it is cut off");
    }
    const std::string_view mode = bytes.substr(0, space);
    const std::string_view name = bytes.substr(space + 1, nul - space - 1);
    RawEntry entry{.name = std::string(name)};
    for (const unsigned known : {040000U, 0100644U, 0100755U, 0120000U, 0160000U}) {
      const std::string_view written = known == 040000U    ? "40000"
                                       : known == 0100644U ? "100644"
                                       : known == 0100755U ? "100755"
                                       : known == 0120000U ? "120000"
                                                           : "160000";
      if (mode == written) entry.mode = known;
    }
    if (entry.mode == 0) return fail("'" + printable_path(name) + "' has the unknown mode " + printable_path(mode));
    if (is_forbidden_name(name)) return fail("it has an entry '" + printable_path(name) + "', which git forbids");
    if (entry.mode == 0120000U && is_modules_name(name)) return fail("its .gitmodules is a symbolic link");
    // Directories sort as if their names ended in '/'.
    std::string key = entry.name + (entry.mode == 040000U ? "/" : "");
    if (!last.empty() && key <= last) return fail("its entries are not sorted");
    if (!names.insert(name).second) return fail("it has two entries '" + printable_path(name) + "'");
    last = std::move(key);
    BERNSTEIN_CHECK(git_oid_fromraw(&entry.id.id, reinterpret_cast<const unsigned char*>(bytes.data() + nul + 1)) == 0,
                    "20 bytes are an object id");
    if (git_oid_is_zero(&entry.id.id) != 0) return fail("'" + printable_path(name) + "' has no object");
    tree.entries.push_back(std::move(entry));
    bytes.remove_prefix(nul + 1 + GIT_OID_RAWSZ);
  }
  return tree;
}

}  // namespace bernstein::git

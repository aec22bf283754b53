#pragma once
// What an agent did to its repository and its worktree that no work needs and that would run programs of its, or lead
// elsewhere, if somebody used them trustingly: in sentences for people. Bernstein does not; the person should know.
//
//     Suspicions found;
//     look_at_repository(layout, spec, found);
//     found.add("'" + printable_path(path) + "' is a pipe; it was left out");
//     captured.suspicions = found.sentences();
//
// git is never run there, no link is followed, nothing is read without a limit. What ordinary agents do is passed over:
// commits, branches, tags, stashes, remotes, a name of their own.

#include <cstddef>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "bernstein/port/workspace.hpp"
#include "layout.hpp"
#include "tree_files.hpp"

namespace bernstein::git {

inline constexpr std::size_t k_suspicions_max = 20;
inline constexpr std::size_t k_suspicion_bytes_max = 200;

// A path as a sentence tells it: in quotes, printable, and so short that what is said of it has its place.
std::string told_path(std::string_view path);

class Suspicions {
 public:
  void add(const std::string& sentence);  // made printable, on one line and short; the same one counts once
  // Sorted; of more than k_suspicions_max the last one says how many are left out.
  std::vector<std::string> sentences() const;

 private:
  std::set<std::string> sentences_;
  std::size_t left_out_ = 0;
};

// The .git file of the worktree, and the session's repository.
void look_at_repository(const Layout& layout, const port::CaptureSpec& spec, Suspicions& found);

// What the changes would bring into other people's checkouts: links that leave the tree, bare repositories, submodules
// with commands. `repository` reads the blobs.
void look_at_changes(git_repository* repository, const std::map<std::string, FileChange>& changes, Suspicions& found);

// A setting that a configuration file of git makes: "remote", "origin", "url". Section and key in lower case.
struct Setting {
  std::string section;
  std::string subsection;
  std::string key;
  std::string value;
  bool operator==(const Setting&) const = default;
};
// As git reads them, but that nothing is refused: what git could not read is a setting that nobody knows.
std::vector<Setting> settings_of(const std::string& text);

// Whether no value that it can have runs a program or leads to other files.
bool is_harmless(const Setting& setting);

// Why git's fsck refuses a .gitmodules or .gitattributes, and with it every push to a server that asks fsck: "it names
// a command". Nothing for files of other names.
std::optional<std::string> metadata_fault(std::string_view name, std::string_view bytes);

}  // namespace bernstein::git

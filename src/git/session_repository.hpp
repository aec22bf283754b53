#pragma once
// The bare repository of a session, as something that an agent may have written to: its branch is read by hand, its
// objects are lent to libgit2 only when all its files are plain ones, and its configuration is never read at all.

#include <optional>
#include <string>
#include <vector>

#include "layout.hpp"

namespace bernstein::git {

// "refs/heads/agent/session-r1-t4.2"
std::string session_branch(const std::string& name);
// Where the base is kept in the user's repository: "refs/bernstein/keep/session-r1-t4.2"
std::string keep_ref(const std::string& name);

// A session's name becomes a directory and part of a branch; ErrorCode::invalid_input when it cannot.
Status check_name(const std::string& name);

// Lays out the repository: borrows the user's objects, has the branch at `base` and one linked worktree.
Status write_session_repository(const Layout& layout, git_repository* users, const std::string& name, const Oid& base,
                                const std::string& exclude);

// Removes git's lock files in it that no living process has open: of a setup command, say, that was killed at work.
void clear_session_locks(const Layout& layout, const std::string& name);

// Where its branch stands; nothing when the branch, or the repository, is gone or is not what git writes.
std::optional<Oid> read_session_branch(const Layout& layout, const std::string& name);

// Commits that the repository names beside its branch: other branches, tags, the stash with its older entries, a HEAD
// that was detached. At most k_tips_max; what is not what git writes is passed over.
struct SessionTip {
  std::string name;  // "try", "stash", "stash-1", "HEAD"; made of letters that a reference may have
  Oid id;
};
inline constexpr std::size_t k_tips_max = 100;
std::vector<SessionTip> read_other_tips(const Layout& layout, const std::string& name);

// Lets the object database read the session's own objects too. False when something there is not a plain file or
// directory (a pipe would make the reader wait for ever), or nothing is there.
bool lend_session_objects(const Layout& layout, const std::string& name, git_odb* odb);

}  // namespace bernstein::git

#pragma once
// Where things are: the user's repository and our directory in it.

#include <string>
#include <vector>

#include "bernstein/base/result.hpp"
#include "handle.hpp"

namespace bernstein::git {

struct Layout {
  std::string root;     // main worktree, or the directory of a bare repository; absolute, no '/' at the end
  std::string git_dir;  // the repository itself, shared by all its worktrees
  std::string objects;  // its object directory
  std::string sdd;      // <root>/.sdd
  bool bare = false;

  std::string worktree(const std::string& name) const { return sdd + "/worktrees/" + name; }
  std::string session(const std::string& name) const { return sdd + "/agents/" + name + ".git"; }
  std::string stat_cache(const std::string& name) const { return sdd + "/agents/" + name + ".index"; }
  std::string pool() const { return sdd + "/pool"; }
  std::string trash() const { return sdd + "/trash"; }
};

// The repository that a directory belongs to, and where the person stands in it.
struct Found {
  Layout layout;
  Repository repository;  // of the worktree that the directory is in
  std::string worktree;   // of that worktree; "" when bare
};

// Searches upwards. ErrorCode::environment when there is none.
Result<Found> find_repository(const std::string& directory);

// The user's repository, to change references and to read configuration.
Result<Repository> open_repository(const Layout& layout);

// The same without a worktree and with an index of our own, empty: attributes come from what is put into that index,
// never from files that lie around in the user's checkout.
struct BareView {
  Repository repository;
  Index index;
};
Result<BareView> open_bare_view(const Layout& layout);

// A branch, resolved through symbolic references. ErrorCode::not_found when it is gone.
struct Tip {
  std::string name;  // of the reference that holds the id
  Oid id;
};
Result<Tip> find_tip(git_repository* repository, const std::string& branch);

// Of a commit or a tree.
Result<Tree> find_tree(git_repository* repository, const std::string& hex);
Result<Commit> find_commit(git_repository* repository, const Oid& id);

Result<Oid> tree_of(git_repository* repository, const Oid& commit);

// A commit of Bernstein's, author and committer; the date in whole seconds. Same arguments, same id. The parents and
// the tree must be there: nobody asks again.
Result<Oid> write_commit(git_repository* repository, const Oid& tree, const std::vector<Oid>& parents,
                         const std::string& message, std::int64_t at_us);

}  // namespace bernstein::git

#pragma once
// Objects on their way from a session into the user's repository: what the agent committed, and what we commit for it.
//
//     BERNSTEIN_TRY(Gathering gathering, Gathering::open(layout, session));
//     BERNSTEIN_TRY(Oid blob, gathering.put_blob(bytes));        // kept in memory
//     BERNSTEIN_TRY_VOID(gathering.keep(commit));                // now all that it needs is in the user's repository
//
// Every object is hashed when it is read, and commits and trees are held to what git's fsck asks for: a forged or
// malformed one is ErrorCode::conflict and nothing of it is kept.

#include <optional>
#include <set>
#include <string>
#include <vector>

#include "files.hpp"
#include "layout.hpp"

namespace bernstein::git {

// Up to so many new objects are stored one by one, more as one pack (as git does: transfer.unpackLimit).
inline constexpr std::size_t k_loose_objects_max = 100;

class Gathering {
 public:
  // Without a session: the user's objects and the new ones only.
  static Result<Gathering> open(const Layout& layout, const std::optional<std::string>& session);

  // Reads the user's objects, the session's and the new ones; what is written to it stays in memory.
  git_repository* repository() const { return mixed_.get(); }
  bool has_session_objects() const { return lent_; }

  // The same objects without any worktree, for a merge: what that writes stays in memory too. For as long as this is
  // there.
  Result<BareView> open_view(const Layout& layout) const;

  Result<Oid> put_blob(std::string_view bytes);
  // For a file that is too large for the memory: straight into the user's object database.
  Result<Oid> put_large_blob(const Fd& file, std::int64_t bytes);

  // Whether all that the commit leads to could be kept. ErrorCode::conflict says why not.
  Status inspect(const Oid& commit);
  Status keep(const Oid& commit);

 private:
  Status collect_commits(const Oid& tip);
  Status collect_tree(const Oid& id, int depth);
  Result<OdbObject> read(const Oid& id, git_object_t type);
  bool is_there(const Oid& id) const;
  Status write_loose();
  Status write_pack();

  Repository users_;
  Odb users_odb_;
  Repository mixed_;
  Odb mixed_odb_;
  bool lent_ = false;

  std::set<Oid> seen_;
  std::vector<Oid> missing_;  // what a thing leads to comes before it
};

}  // namespace bernstein::git

#pragma once
// Directories of sessions and checkouts that were removed, kept for the next ones: writing all files of a large tree,
// and deleting them, costs more than everything else that Bernstein does.
//
//     BERNSTEIN_TRY(WrittenFiles written, make_worktree(layout, PoolKind::session, wanted, path));
//     BERNSTEIN_TRY_VOID(note_worktree(layout, name, wanted.key, written, index));    // last: now it is complete
//     ...
//     BERNSTEIN_TRY_VOID(give_back(layout, PoolKind::session, name));
//
// A box of the pool is .sdd/pool/<kind>-<six letters> with `files` (the directory), `known` (its stat cache) and `key`
// (conversion_key). It is put together, and taken apart, under another name ("new-", "taken-" and the pid), so a
// process that is killed leaves none that is not whole; such remains go to the trash. In a box are the files as we
// wrote them and nothing else, so all of the pool is never larger than k_boxes_max worktrees of each kind.
//
// What an agent had is never used for a check. Whatever is not as it should be goes to the trash, and a directory is
// written anew: that is always right, and only slower.

#include <string>

#include "layout.hpp"
#include "stat_cache.hpp"
#include "tree_writer.hpp"

namespace bernstein::git {

enum class PoolKind { session, checkout };

inline constexpr int k_boxes_max = 4;  // of a kind

struct WantedTree {
  const BareView& view;  // with the attributes of the tree
  Oid tree;
  const Files& files;
  std::string key;  // conversion_key
};

// The directory `path`, which is not there, with the files of the tree: out of the pool or written anew.
Result<WrittenFiles> make_worktree(const Layout& layout, PoolKind kind, const WantedTree& wanted,
                                   const std::string& path);

// Writes what make_worktree needs to know when the directory is given back, the stat cache as the last.
Status note_worktree(const Layout& layout, const std::string& name, const std::string& key, const WrittenFiles& written,
                     const std::string& index);

// Takes the directory of a session or a checkout away, into the pool or to the trash. Its stat cache goes first: it is
// the sign of a complete one. Absent is fine.
Status give_back(const Layout& layout, PoolKind kind, const std::string& name);

}  // namespace bernstein::git

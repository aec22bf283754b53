#pragma once
// What every file of a worktree looked like to stat(2) when its content was known: so that a file which looks the same
// later need not be read again. Stored as a git index, which the session's own index can be a copy of.
//
// A file counts as unchanged when its kind, size, inode, mtime and ctime are equal. A program can set an mtime, not a
// ctime. write_stat_cache waits until the file system's clock has moved past the last write, so that any write after it
// leaves another ctime.

#include <sys/stat.h>

#include <map>
#include <string>

#include "tree_writer.hpp"

namespace bernstein::git {

// How long a file system's clock may stand still; after that there is no cache, and every file will be read.
inline constexpr int k_clock_step_ms_max = 100;

struct KnownFile {
  FileEntry entry;
  git_index_entry stat;  // only its numbers; path is null
};
using StatCache = std::map<std::string, KnownFile>;

// Writes the cache, and the same bytes to `copy`, the index that git itself will use ("": there is none). The cache is
// there last, as a whole.
Status write_stat_cache(const WrittenFiles& files, const std::string& path, const std::string& copy);

// With what a write left that was cut short.
void remove_stat_cache(const std::string& path);

// Empty when there is none or it cannot be read.
StatCache read_stat_cache(const std::string& path);

bool looks_unchanged(const KnownFile& known, const struct ::stat& now);

// The fields of an index entry that stat(2) gives.
void set_stat(git_index_entry& entry, const struct ::stat& stat);

}  // namespace bernstein::git
